# Writes the secret path of the browser server. By .NET and not by a cmdlet, whose arguments Windows may log. A new file has
# the rights of its folder, whatever the old one had.
param($arg)
$path = "$($arg.folder)/ws_path.txt".Replace('\', '/')
$before = ''
if ([IO.File]::Exists($path)) { $before = [IO.File]::ReadAllText($path) }
[IO.File]::WriteAllText("$path.new", $arg.ws_path, (New-Object Text.UTF8Encoding $false))
[IO.File]::Delete($path)
[IO.File]::Move("$path.new", $path)
@{ changed = $before -cne $arg.ws_path }
