# Makes the folder of the browser server: Administrators and SYSTEM own what is in it, the server's account may read it, and
# write below "run". Anybody may make folders in ProgramData, so one that a stranger owns is refused: what lies in it would run.
param($arg)
$folder = "$($arg.folder)".Replace('\', '/')
$me = [Security.Principal.WindowsIdentity]::GetCurrent()
$account = "$($arg.run_as)"
if (-not $account) { $account = $me.Name }
try { $sid = (New-Object Security.Principal.NTAccount $account).Translate([Security.Principal.SecurityIdentifier]) }
catch { return @{ state = 'unknown_account'; account = $account; path = ''; owner = '' } }
$administrators = New-Object Security.Principal.SecurityIdentifier 'S-1-5-32-544'
$system = New-Object Security.Principal.SecurityIdentifier 'S-1-5-18'
$trusted = @($administrators.Value, $system.Value, $me.User.Value)

foreach ($path in [IO.Path]::GetDirectoryName($folder), $folder) {
  if (-not [IO.Directory]::Exists($path)) {
    [void][IO.Directory]::CreateDirectory($path)
    continue
  }
  $owner = (Get-Acl -LiteralPath $path).GetOwner([Security.Principal.SecurityIdentifier])
  if ($trusted -notcontains $owner.Value) {
    return @{ state = 'foreign_folder'; account = $account; path = $path.Replace('/', '\'); owner = [string]$owner.Value }
  }
}
[void][IO.Directory]::CreateDirectory("$folder/run")

function Protect-Folder([string]$path, [string]$rights) {
  $acl = New-Object Security.AccessControl.DirectorySecurity
  $acl.SetAccessRuleProtection($true, $false)
  $acl.SetOwner($administrators)
  $grants = @(@($administrators, 'FullControl'), @($system, 'FullControl'), @($sid, $rights))
  foreach ($grant in $grants) {
    $rule = New-Object Security.AccessControl.FileSystemAccessRule $grant[0], $grant[1], 'ContainerInherit, ObjectInherit', 'None', 'Allow'
    $acl.AddAccessRule($rule)
  }
  Set-Acl -LiteralPath $path -AclObject $acl
}

Protect-Folder $folder 'ReadAndExecute'
Protect-Folder "$folder/run" 'Modify'
@{ state = 'ready'; account = $account; path = $folder.Replace('/', '\'); owner = '' }
