"""When things happen: five stage flows and the lifecycle, on Prefect. Nothing below imports Prefect."""
