# Recycle the pool, or stop it where it did not run; then the marker: what is left is the check.
param([string]$Pool, [bool]$Runs, [string]$Folder, [string]$Release)
$ErrorActionPreference = 'Stop'
Add-Type -LiteralPath ([IO.Path]::Combine(
    $env:windir, 'System32', 'inetsrv', 'Microsoft.Web.Administration.dll'
))
$manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
$found = $manager.ApplicationPools[$Pool]
if ($Runs -and $found.State -eq 'Started') {
    $null = $found.Recycle()
} elseif ($Runs) {
    $null = $found.Start()
} elseif ($found.State -ne 'Stopped') {
    $null = $found.Stop()
}
[IO.File]::WriteAllText([IO.Path]::Combine($Folder, '.' + $Release + '@check'), '')
[IO.File]::Delete([IO.Path]::Combine($Folder, '.' + $Release + '@restart'))
