# Reads a piece of a file that others may write to meanwhile. A negative offset counts from the end.
param($arg)
$path = "$($arg.path)".Replace('\', '/')
if (-not [IO.File]::Exists($path)) { return @{ exists = $false; size = 0; offset = 0; data = '' } }
$share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
$file = [IO.File]::Open($path, [IO.FileMode]::Open, [IO.FileAccess]::Read, $share)
try {
  $size = $file.Length
  $offset = [long]$arg.offset
  if ($offset -lt 0) { $offset = [Math]::Max(0, $size + $offset) }
  $offset = [Math]::Min($offset, $size)
  $bytes = New-Object byte[] ([int][Math]::Min([long]$arg.max_bytes, $size - $offset))
  [void]$file.Seek($offset, [IO.SeekOrigin]::Begin)
  $read = 0
  while ($read -lt $bytes.Length) {
    $count = $file.Read($bytes, $read, $bytes.Length - $read)
    if ($count -eq 0) { break }
    $read += $count
  }
  @{ exists = $true; size = $size; offset = $offset; data = [Convert]::ToBase64String($bytes, 0, $read) }
} finally {
  $file.Dispose()
}
