# What time it is on the host.
param($arg)
$epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
@{
  utc_ms    = [long][Math]::Floor(([DateTime]::UtcNow - $epoch).TotalMilliseconds)
  time_zone = [TimeZoneInfo]::Local.Id
}
