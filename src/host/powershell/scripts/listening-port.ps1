# Who listens on a TCP port. That nobody does is an error to Get-NetTCPConnection.
param($arg)
$rows = @(Get-NetTCPConnection -LocalPort $arg.port -State Listen -ErrorAction Ignore)
$listeners = @(foreach ($row in $rows) {
    $id = [int]$row.OwningProcess
    $process = Get-CimInstance Win32_Process -Filter "ProcessId=$id"
    @{ address = [string]$row.LocalAddress; pid = $id; name = [string]$process.Name; path = [string]$process.ExecutablePath }
  })
@{ is_listening = $listeners.Count -gt 0; listeners = $listeners }
