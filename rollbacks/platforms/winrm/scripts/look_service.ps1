# What a Windows service runs, and whether it does.
param([string]$Name)
$ErrorActionPreference = 'Stop'
$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object -TypeName Security.Principal.WindowsPrincipal -ArgumentList $identity
$answer = @{
    administrator = $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    missing = 'Windows service'
    path = ''
    state = ''
    mode = ''
}
$service = Get-CimInstance -ClassName Win32_Service | Where-Object -Property Name -EQ -Value $Name
if ($null -ne $service) {
    $answer.missing = ''
    $answer.path = [string]$service.PathName
    $answer.state = [string]$service.State
    $answer.mode = [string]$service.StartMode
}
ConvertTo-Json -InputObject $answer -Compress
