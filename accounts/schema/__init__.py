"""The API of people, user groups, what they may do, and API keys (reference 4.2, 4.3).

Everything is asked of `policy` and changed through `administration`, as in the admin.
"""

import strawberry

from accounts.schema import granting, groups, keys, people


@strawberry.type
class Query(people.Query, groups.Query, granting.Query, keys.Query):
    pass


@strawberry.type
class Mutation(people.Mutation, groups.Mutation, granting.Mutation, keys.Mutation):
    pass
