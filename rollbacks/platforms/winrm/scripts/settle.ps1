# Remove everything that only stood there for a while.
param([string]$Folder, [string]$Release)
$ErrorActionPreference = 'Stop'
$ours = [IO.Path]::Combine($Folder, '.' + $Release + '@')
if ([IO.Directory]::Exists($ours + 'partial')) {
    [IO.Directory]::Delete($ours + 'partial', $true)
}
foreach ($rest in @('upload', 'restart', 'check')) {
    if ([IO.File]::Exists($ours + $rest)) {
        [IO.File]::Delete($ours + $rest)
    }
}
