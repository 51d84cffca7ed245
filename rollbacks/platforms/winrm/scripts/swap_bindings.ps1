# The bindings of two sites in one commit: who is served by whom changes for all of them at once.
param([string]$First, [string]$FirstBindings, [string]$Second, [string]$SecondBindings)
$ErrorActionPreference = 'Stop'
Add-Type -LiteralPath ([IO.Path]::Combine(
    $env:windir, 'System32', 'inetsrv', 'Microsoft.Web.Administration.dll'
))
$manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
$sites = $manager.GetApplicationHostConfiguration().GetSection('system.applicationHost/sites')
$wanted = @{ $First = $FirstBindings; $Second = $SecondBindings }
foreach ($name in @($First, $Second)) {
    $site = $sites.GetCollection() | Where-Object -FilterScript { $_['name'] -eq $name }
    if ($null -eq $site) {
        throw 'there is no such site'
    }
    $bindings = $site.GetCollection('bindings')
    $bindings.Clear()
    foreach ($each in (ConvertFrom-Json -InputObject $wanted[$name])) {
        $binding = $bindings.CreateElement('binding')
        $binding['protocol'] = [string]$each.protocol
        $binding['bindingInformation'] = [string]$each.information
        $binding['sslFlags'] = [int]$each.flags
        $null = $bindings.Add($binding)
    }
}
$manager.CommitChanges()
