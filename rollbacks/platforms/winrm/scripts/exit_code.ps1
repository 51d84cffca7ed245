# How the last program ended that a person's script has run; prepare_script set it to 0.
param()
$ErrorActionPreference = 'Stop'
[string]$global:LASTEXITCODE
