"""Missing rights and lost things are named before anything is touched."""

LOOKS = [
    "autoscaling:Describe*",
    "ec2:Describe*",
    "elasticloadbalancing:Describe*",
    "iam:SimulatePrincipalPolicy",
]
