"""The GraphQL door at /graphql: who is let in, how much at once, how refusals are said.

What can be asked is written in the schema modules that settings.GRAPHQL_SCHEMAS names; nothing
here knows deployments or people.
"""
