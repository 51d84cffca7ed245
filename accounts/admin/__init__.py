"""The admin of people: users, user groups, API keys and the audit trail.

Nothing here saves a model: `accounts.administration` does, with its guards, and what it refuses is
shown beside the field. Who may do what here is declared by each page (`base.PolicyAdmin`).
"""

import django.contrib.auth.admin  # noqa: F401  (registers Group, which is taken away below)
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin.groups import UserGroupAdmin
from accounts.admin.keys import ApiKeyAdmin
from accounts.admin.people import UserAdmin
from accounts.admin.trail import AuditEventAdmin
from accounts.models import ApiKey, AuditEvent, User, UserGroup

# It has neither account permissions nor rows, so nothing could be given with it.
admin.site.unregister(Group)
admin.site.register(User, UserAdmin)
admin.site.register(UserGroup, UserGroupAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(AuditEvent, AuditEventAdmin)
