# Stop the service, start it where it is to run; then the marker: what is left is the check.
param([string]$Name, [bool]$Runs, [long]$Seconds, [string]$Folder, [string]$Release)
$ErrorActionPreference = 'Stop'
$limit = [TimeSpan]::FromSeconds($Seconds)
# Not Get-Service: it stops at any service that it may not query.
Add-Type -AssemblyName System.ServiceProcess
$service = New-Object -TypeName System.ServiceProcess.ServiceController -ArgumentList $Name
if ($service.Status -ne 'Stopped') {
    $service.Stop()
    $service.WaitForStatus('Stopped', $limit)
}
if ($Runs) {
    $service.Start()
    $service.WaitForStatus('Running', $limit)
}
[IO.File]::WriteAllText([IO.Path]::Combine($Folder, '.' + $Release + '@check'), '')
[IO.File]::Delete([IO.Path]::Combine($Folder, '.' + $Release + '@restart'))
