# What is in a service's folder; Wanted is a path, as IIS and services write it, of which it says
# whether it is there.
param([string]$Folder, [string]$Release, [string]$Wanted)
$ErrorActionPreference = 'Stop'
$levels = 0
$place = $Folder
while ($place -and -not [IO.Directory]::Exists($place)) {
    $levels += 1
    $place = [IO.Path]::GetDirectoryName($place)
}
$ours = [IO.Path]::Combine($Folder, '.' + $Release + '@')
$uploaded = 0
if ([IO.File]::Exists($ours + 'upload')) {
    $uploaded = (New-Object -TypeName IO.FileInfo -ArgumentList ($ours + 'upload')).Length
}
$path = [Environment]::ExpandEnvironmentVariables($Wanted)
$answer = @{
    levels = $levels
    release = [IO.Directory]::Exists([IO.Path]::Combine($Folder, $Release))
    uploaded = $uploaded
    partial = [IO.Directory]::Exists($ours + 'partial')
    restart = [IO.File]::Exists($ours + 'restart')
    check = [IO.File]::Exists($ours + 'check')
    wanted = [IO.Directory]::Exists($path) -or [IO.File]::Exists($path)
}
ConvertTo-Json -InputObject $answer -Compress
