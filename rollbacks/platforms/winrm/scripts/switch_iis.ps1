# Serve another physical path; first the marker which says that the pool is to be recycled.
param(
    [string]$Site, [string]$Application, [string]$VirtualDirectory, [string]$Path,
    [string]$Folder, [string]$Release
)
$ErrorActionPreference = 'Stop'
Add-Type -LiteralPath ([IO.Path]::Combine(
    $env:windir, 'System32', 'inetsrv', 'Microsoft.Web.Administration.dll'
))
$manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
$directory = $manager.Sites[$Site].Applications[$Application].VirtualDirectories[$VirtualDirectory]
$null = [IO.Directory]::CreateDirectory($Folder)
[IO.File]::WriteAllText([IO.Path]::Combine($Folder, '.' + $Release + '@restart'), '')
[IO.File]::Delete([IO.Path]::Combine($Folder, '.' + $Release + '@check'))
$directory.PhysicalPath = $Path
$manager.CommitChanges()
