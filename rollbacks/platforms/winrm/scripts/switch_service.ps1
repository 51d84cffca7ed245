# Another binary path for a service; first the marker which says that it is to be restarted.
param([string]$Name, [string]$Path, [string]$Folder, [string]$Release)
$ErrorActionPreference = 'Stop'
$service = Get-CimInstance -ClassName Win32_Service | Where-Object -Property Name -EQ -Value $Name
if ($null -eq $service) {
    throw 'there is no such Windows service'
}
$null = [IO.Directory]::CreateDirectory($Folder)
[IO.File]::WriteAllText([IO.Path]::Combine($Folder, '.' + $Release + '@restart'), '')
[IO.File]::Delete([IO.Path]::Combine($Folder, '.' + $Release + '@check'))
$result = Invoke-CimMethod -InputObject $service -MethodName Change -Arguments @{ PathName = $Path }
if ($result.ReturnValue -ne 0) {
    throw 'Windows refused the binary path: Win32_Service.Change gave ' + $result.ReturnValue
}
