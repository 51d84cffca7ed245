# What serves a site, an application in it, or a virtual directory; opens nothing it may not.
param([string]$Site, [string]$Application, [string]$VirtualDirectory)
$ErrorActionPreference = 'Stop'
$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object -TypeName Security.Principal.WindowsPrincipal -ArgumentList $identity
$answer = @{
    administrator = $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    module = $false
    missing = ''
    path = ''
    pool = ''
    state = ''
    pool_state = ''
    bindings = @()
}
$library = [IO.Path]::Combine($env:windir, 'System32', 'inetsrv', 'Microsoft.Web.Administration.dll')
$answer.module = [IO.File]::Exists($library)
if ($answer.administrator -and $answer.module) {
    Add-Type -LiteralPath $library
    $manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
    $found = $manager.Sites[$Site]
    if ($null -eq $found) {
        $answer.missing = 'site'
    } elseif ($null -eq $found.Applications[$Application]) {
        $answer.missing = 'application'
    } elseif ($null -eq $found.Applications[$Application].VirtualDirectories[$VirtualDirectory]) {
        $answer.missing = 'virtual directory'
    } else {
        $served = $found.Applications[$Application]
        $answer.path = $served.VirtualDirectories[$VirtualDirectory].PhysicalPath
        $answer.pool = $served.ApplicationPoolName
        $answer.state = [string]$found.State
        $pool = $manager.ApplicationPools[$served.ApplicationPoolName]
        if ($null -eq $pool) {
            $answer.missing = 'application pool'
        } else {
            $answer.pool_state = [string]$pool.State
        }
        $sites = $manager.GetApplicationHostConfiguration().GetSection('system.applicationHost/sites')
        $element = $sites.GetCollection() | Where-Object -FilterScript { $_['name'] -eq $Site }
        $answer.bindings = @($element.GetCollection('bindings') | ForEach-Object -Process {
            @{
                protocol = [string]$_['protocol']
                information = [string]$_['bindingInformation']
                flags = [int]$_['sslFlags']
            }
        })
    }
}
ConvertTo-Json -InputObject $answer -Depth 4 -Compress
