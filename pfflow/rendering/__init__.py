"""Rendering: notices become letters, reports become HTML, text, Markdown and workbooks."""
