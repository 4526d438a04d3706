"""What the service costs and withstands; none of it is part of the app or its image.

`python -m deploy.checks benchmark` measures it beside others, `resilience` takes away what it
stands on, `endurance` kills it under load: see the --help of each.
"""
