# The release out of the upload, if that is what was sent; whole, or not there.
param([string]$Folder, [string]$Release, [string]$Checksum)
$ErrorActionPreference = 'Stop'
$target = [IO.Path]::Combine($Folder, $Release)
if ([IO.Directory]::Exists($target)) {
    return
}
$upload = [IO.Path]::Combine($Folder, '.' + $Release + '@upload')
$partial = [IO.Path]::Combine($Folder, '.' + $Release + '@partial')
if ((Get-FileHash -LiteralPath $upload -Algorithm SHA256).Hash -ne $Checksum) {
    [IO.File]::Delete($upload)
    throw 'the checksum of what arrived is not that of the artifact'
}
if ([IO.Directory]::Exists($partial)) {
    [IO.Directory]::Delete($partial, $true)
}
Add-Type -AssemblyName System.IO.Compression.FileSystem
[IO.Compression.ZipFile]::ExtractToDirectory($upload, $partial)
[IO.Directory]::Move($partial, $target)
[IO.File]::Delete($upload)
