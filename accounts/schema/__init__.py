"""The API of people, user groups, what they may do, and API keys (reference 4.2, 4.3).

Everything is asked of `policy` and changed through `administration`, as in the admin.
"""

import strawberry

from accounts.schema import granting


@strawberry.type
class Query(granting.Query):
    pass


@strawberry.type
class Mutation(granting.Mutation):
    pass
