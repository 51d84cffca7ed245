# One piece of the upload, at its place; what is behind it was of an upload that was cut off.
param([string]$Folder, [string]$Release, [long]$Offset, [byte[]]$Data)
$ErrorActionPreference = 'Stop'
$null = [IO.Directory]::CreateDirectory($Folder)
$file = [IO.Path]::Combine($Folder, '.' + $Release + '@upload')
$stream = [IO.File]::Open($file, 'OpenOrCreate', 'Write', 'None')
try {
    if ($stream.Length -lt $Offset) {
        throw 'what was uploaded before is not there any more'
    }
    $stream.SetLength($Offset)
    $stream.Position = $Offset
    $stream.Write($Data, 0, $Data.Length)
} finally {
    $stream.Dispose()
}
