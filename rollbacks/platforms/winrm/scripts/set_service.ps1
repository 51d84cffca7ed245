# Whether a service runs, and whether it will after the host has started again.
param([string]$Name, [string]$Mode, [bool]$Runs, [long]$Seconds)
$ErrorActionPreference = 'Stop'
$limit = [TimeSpan]::FromSeconds($Seconds)
$found = Get-CimInstance -ClassName Win32_Service | Where-Object -Property Name -EQ -Value $Name
$modes = @{ Auto = 'Automatic'; Manual = 'Manual'; Disabled = 'Disabled' }
$result = Invoke-CimMethod -InputObject $found -MethodName ChangeStartMode -Arguments @{
    StartMode = $modes[$Mode]
}
if ($result.ReturnValue -ne 0) {
    throw 'Windows refused the start mode: ChangeStartMode gave ' + $result.ReturnValue
}
# Not Get-Service: it stops at any service that it may not query.
Add-Type -AssemblyName System.ServiceProcess
$service = New-Object -TypeName System.ServiceProcess.ServiceController -ArgumentList $Name
if ($Runs -and $service.Status -ne 'Running') {
    $service.Start()
    $service.WaitForStatus('Running', $limit)
} elseif (-not $Runs -and $service.Status -ne 'Stopped') {
    $service.Stop()
    $service.WaitForStatus('Stopped', $limit)
}
