# Asks the machine's state: a cmdlet's name and its parameters as JSON; rows as JSON.
function Invoke-Machine([string]$name, $parameters) {
  $json = & $env:WINSIM_NODE '--disable-warning=ExperimentalWarning' $env:WINSIM_CMDLET $name (ConvertTo-Json -InputObject $parameters -Compress -Depth 6)
  if ($LASTEXITCODE -ne 0) { throw "$json" }
  foreach ($row in (ConvertFrom-Json "$json").rows) { $row }
}
