# What a person's script in this session finds: variables as environment, a place, no leniency.
param([string]$Variables, [string]$Directory)
$ErrorActionPreference = 'Stop'
foreach ($each in (ConvertFrom-Json -InputObject $Variables)) {
    [Environment]::SetEnvironmentVariable($each.name, $each.value, 'Process')
}
if ($Directory) {
    Set-Location -LiteralPath $Directory
}
$global:ErrorActionPreference = 'Stop'
$global:LASTEXITCODE = 0
