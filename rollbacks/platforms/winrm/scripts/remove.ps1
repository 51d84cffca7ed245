# Remove a release, and directories that were made for it where they are empty again. It is renamed
# first: what is half removed is no release. Levels: how many, upwards, were not there before.
param([string]$Folder, [string]$Release, [long]$Levels)
$ErrorActionPreference = 'Stop'
$target = [IO.Path]::Combine($Folder, $Release)
$partial = [IO.Path]::Combine($Folder, '.' + $Release + '@partial')
if ([IO.Directory]::Exists($partial)) {
    [IO.Directory]::Delete($partial, $true)
}
if ([IO.Directory]::Exists($target)) {
    [IO.Directory]::Move($target, $partial)
    [IO.Directory]::Delete($partial, $true)
}
foreach ($rest in @('upload', 'restart', 'check')) {
    $file = [IO.Path]::Combine($Folder, '.' + $Release + '@' + $rest)
    if ([IO.File]::Exists($file)) {
        [IO.File]::Delete($file)
    }
}
$place = $Folder
while ($Levels -gt 0 -and [IO.Directory]::Exists($place)) {
    if ([IO.Directory]::GetFileSystemEntries($place).Length -gt 0) {
        break
    }
    [IO.Directory]::Delete($place)
    $place = [IO.Path]::GetDirectoryName($place)
    $Levels -= 1
}
