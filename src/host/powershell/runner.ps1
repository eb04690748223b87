# The runner: one PowerShell process that runs many commands, one after the other. first-stage.ps1 started it and left
# $in (the reader of its input), $utf8 and $hello (the request that brought this text).
#
# In, a line each: a request (JSON, see request.ts) or "cancel NONCE". Its end means that the connection is lost.
# Out, on both streams, after what the command wrote: a newline and the line of trailer.ts.
# Every text in a request begins with "=": without it ConvertFrom-Json makes dates of what looks like one.
#
# It must run under Windows PowerShell 5.1 and .NET Framework as well as under 7. Nothing may be written between the
# start of a program and its end: the program writes to the same streams.
$ErrorActionPreference = 'Stop'
$windows = [IO.Path]::DirectorySeparatorChar -eq '\'
$hasArgumentList = $null -ne [Diagnostics.ProcessStartInfo].GetProperty('ArgumentList')
$hasTreeKill = $null -ne [Diagnostics.Process].GetMethod('Kill', [type[]]@([bool]))
$self = [Diagnostics.Process]::GetCurrentProcess()
$output = [Console]::OpenStandardOutput()
$streams = @($output, [Console]::OpenStandardError())
$state = @{ next = $null; known = $null; listed = $null; code = '' }

function Send-Line([string]$text) {
  $bytes = $utf8.GetBytes("`n$text`n")
  foreach ($stream in $streams) {
    $stream.Write($bytes, 0, $bytes.Length)
    $stream.Flush()
  }
}

# The innermost message: what .NET wraps around it says nothing.
function Get-Reason($record) {
  $problem = $record.Exception
  while ($problem.InnerException -and $problem -is [Management.Automation.MethodInvocationException]) {
    $problem = $problem.InnerException
  }
  $text = $problem.Message
  if ($problem -is [Management.Automation.ActionPreferenceStopException]) { $text = $problem.ErrorRecord.Exception.Message }
  if ($problem.ErrorRecord -and $problem.ErrorRecord.InvocationInfo) {
    $text += " (line $($problem.ErrorRecord.InvocationInfo.ScriptLineNumber))"
  }
  $text.Substring(0, [Math]::Min(2000, $text.Length))
}

# The numbers of the processes that there are: one call of the system on Windows, one listing elsewhere.
function Update-Known {
  if ($windows) {
    $ids = foreach ($one in [Diagnostics.Process]::GetProcesses()) { if ($one.SessionId -eq $self.SessionId) { "$($one.Id)" } }
  } else {
    $ids = [IO.Directory]::GetDirectories('/proc')
  }
  $state.known = New-Object 'Collections.Generic.HashSet[string]' (, [string[]]$ids)
  $state.listed = [Diagnostics.Stopwatch]::StartNew()
}

function Test-OfSession([string]$folder) {
  try {
    $text = [IO.File]::ReadAllText("$folder/stat")
    $fields = $text.Substring($text.LastIndexOf(')') + 2).Split(' ')
    $fields[0] -ne 'Z' -and $fields[3] -eq $state.session
  } catch { $false }
}

# Windows keeps the number of a parent that is gone. A new process is a command's when its line of parents, as far as it
# is new, ends in one that is gone; what services and other connections started ends in one that was there before.
function Get-Orphan($before, $new) {
  $parents = @{}
  $fields = 'ProcessId', 'ParentProcessId', 'Name'
  foreach ($row in @(Get-CimInstance Win32_Process -Property $fields)) {
    if ($row.Name -ne 'conhost.exe') { $parents["$($row.ProcessId)"] = "$($row.ParentProcessId)" }
  }
  foreach ($id in $new) {
    if (-not $parents.ContainsKey($id)) { continue }
    $eldest = $id
    for ($i = 0; $i -lt 64 -and $new.Contains($parents[$eldest]) -and $parents.ContainsKey($parents[$eldest]); $i++) {
      $eldest = $parents[$eldest]
    }
    if (-not $before.Contains($parents[$eldest]) -and -not $parents.ContainsKey($parents[$eldest])) { [int]$id }
  }
}

# The processes that a command left behind.
function Get-Left {
  $before = $state.known
  for ($look = 0; $look -lt 2; $look++) {
    Update-Known
    $new = New-Object 'Collections.Generic.HashSet[string]' (, $state.known)
    $new.ExceptWith($before)
    if ($new.Count -eq 0) { return }
    if ($windows) { $left = @(Get-Orphan $before $new) }
    else { $left = @(foreach ($folder in $new) { if (Test-OfSession $folder) { [int]$folder.Substring(6) } }) }
    if ($left.Count -eq 0) { return }
    # What is just ending is not left.
    if ($look -eq 0) { [Threading.Thread]::Sleep(20) }
  }
  $left
}

function Stop-Tree($process) {
  $ErrorActionPreference = 'Continue'
  try {
    if ($hasTreeKill) { $process.Kill($true) }
    else { & "$([Environment]::SystemDirectory)\taskkill.exe" /PID $process.Id /T /F 2>&1 | Out-Null }
  } catch { }
  try { [void]$process.WaitForExit(5000) } catch { }
}

# Ends what a command left behind; what remains after some turns is counted.
function Stop-Left {
  $before = $state.known
  for ($turn = 0; $turn -lt 5; $turn++) {
    $state.known = $before
    $left = @(Get-Left)
    if ($left.Count -eq 0) { return 0 }
    foreach ($id in $left) { try { [Diagnostics.Process]::GetProcessById($id).Kill() } catch { } }
  }
  $left.Count
}

# Waits until $over says so. Returns how it ended.
function Wait-End($request, [scriptblock]$over) {
  $watch = [Diagnostics.Stopwatch]::StartNew()
  while (-not (& $over)) {
    if ($state.next.IsCompleted) {
      $line = $null
      try { $line = $state.next.Result } catch { }
      if ($null -eq $line) { return 'lost' }
      $state.next = $in.ReadLineAsync()
      if ($line -eq "cancel $($request.nonce)") { return 'cancelled' }
    }
    if ($watch.ElapsedMilliseconds -ge $request.timeout_ms) { return 'timeout' }
  }
  'exited'
}

function Start-Program([string]$file, $list, [string]$text) {
  $info = New-Object Diagnostics.ProcessStartInfo
  $info.FileName = $file
  $info.UseShellExecute = $false
  $info.RedirectStandardInput = $true
  if ($hasArgumentList -and $null -ne $list) { foreach ($one in $list) { $info.ArgumentList.Add($one) } }
  else { $info.Arguments = $text }
  $process = [Diagnostics.Process]::Start($info)
  $process.StandardInput.Close()
  $process
}

# By PATH and PATHEXT, as a shell does; CreateProcess itself knows .exe only. Not found: the name, for the system's words.
function Find-Program([string]$name) {
  $names = @()
  if (-not $windows -or $name -match '\.[^\\/.]+$') { $names += $name }
  foreach ($ending in "$env:PATHEXT".Split(';')) { if ($ending) { $names += "$name$ending" } }
  $folders = @('')
  if ($name -notmatch '[\\/:]') {
    $folders = @(foreach ($one in "$env:PATH".Split([IO.Path]::PathSeparator)) {
        if ($one) { $one.Trim('"').TrimEnd('\', '/') + [IO.Path]::DirectorySeparatorChar }
      })
  }
  foreach ($folder in $folders) {
    foreach ($one in $names) { if ([IO.File]::Exists("$folder$one")) { return "$folder$one" } }
  }
  $name
}

# With /s cmd takes away the first and the last quote and nothing else.
function Start-Cmd([string]$line) {
  if (-not $windows) { return Start-Program 'cmd.exe' @('/d', '/e:on', '/v:off', '/s', '/c', $line) '' }
  Start-Program "$([Environment]::SystemDirectory)\cmd.exe" $null "/d /e:on /v:off /s /c `"$line`""
}

function Start-Argv($request) {
  $words = @(foreach ($word in $request.argv) { $word.Substring(1) })
  $head = $words[0]
  if (-not $request.builtin) {
    $path = Find-Program $head
    # Windows drops dots and blanks at the end of a name: "x.bat. " is x.bat.
    if ($path -notmatch '\.(bat|cmd)[ .]*$') {
      return Start-Program $path @($words | Select-Object -Skip 1) $request.arguments.Substring(1)
    }
    $head = "`"$path`""
  }
  if ($null -eq $request.cmd -or $head -match '[%\r\n]') {
    $state.code = 'ARGUMENT_UNSAFE'
    throw "cmd.exe would run $($words[0]), and no quoting keeps it from changing an argument with a quote, %, CR or LF"
  }
  Start-Cmd "$head$($request.cmd.Substring(1))"
}

# As sshd does it: contrib/win32/win32compat/w32-doexec.c of openssh-portable.
function Start-Line($request) {
  $line = $request.line.Substring(1)
  $shell = $env:SHELL
  $option = $null
  $text = $request.arguments.Substring(1)
  if ($windows) {
    $key = 'HKEY_LOCAL_MACHINE\SOFTWARE\OpenSSH'
    $shell = [Microsoft.Win32.Registry]::GetValue($key, 'DefaultShell', $null)
    $option = [Microsoft.Win32.Registry]::GetValue($key, 'DefaultShellCommandOption', $null)
    if (0 -eq [Microsoft.Win32.Registry]::GetValue($key, 'DefaultShellEscapeArguments', 1)) { $text = $line }
    if (-not $shell) { $shell = "$([Environment]::SystemDirectory)\cmd.exe" }
  }
  if ($shell -notmatch '(^|[\\/])cmd(\.exe)?$') {
    if (-not $option) { $option = '-c' }
    $list = @($option, $line)
    if ($text -eq $line -and $windows) { $list = $null }
    return Start-Program $shell $list "$option $text"
  }
  if ($windows) { Start-Program $shell $null "/c `"$line`"" } else { Start-Program $shell @('/c', $line) '' }
}

function Invoke-Program($request) {
  if ($state.listed.ElapsedMilliseconds -gt 1000) { Update-Known }
  if ($null -ne $request.line) { $process = Start-Line $request } else { $process = Start-Argv $request }
  # From here on it has run, whatever goes wrong.
  $state.code = 'FAILED'
  $end = Wait-End $request { $process.WaitForExit(20) }
  if ($end -ne 'exited') { Stop-Tree $process }
  # Where nobody can tell, the runner is not used again.
  $left = 1
  try { if ($end -eq 'exited') { $left = @(Get-Left).Count } else { $left = Stop-Left } } catch { }
  $code = 0
  if ($process.HasExited) { $code = [long]$process.ExitCode -band 4294967295 } else { $left++ }
  $process.Dispose()
  Send-Line "$($request.nonce) end=$end rc=$code left=$left"
}

# Our own checks: a fresh runspace each. What a script returns is its answer; "exit" would be lost here.
function Invoke-Script($request) {
  $argument = @{}
  foreach ($pair in $request.arg.PSObject.Properties) {
    $value = $pair.Value
    if ($value -is [string]) { $value = $value.Substring(1) }
    $argument[$pair.Name] = $value
  }
  $runspace = [Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace()
  $runspace.Open()
  $runspace.SessionStateProxy.SetVariable('ErrorActionPreference', 'Stop')
  $runspace.SessionStateProxy.SetVariable('ProgressPreference', 'SilentlyContinue')
  $shell = [Management.Automation.PowerShell]::Create()
  $shell.Runspace = $runspace
  $left = 0
  if ($state.listed.ElapsedMilliseconds -gt 1000) { Update-Known }
  try {
    [void]$shell.AddScript($request.script.Substring(1)).AddArgument($argument)
    $handle = $shell.BeginInvoke()
    $end = Wait-End $request { $handle.AsyncWaitHandle.WaitOne(20) }
    if ($end -eq 'exited') {
      $answers = @($shell.EndInvoke($handle))
      if ($answers.Count -ne 1) { throw "it returned $($answers.Count) values instead of one" }
      $bytes = $utf8.GetBytes((ConvertTo-Json -InputObject $answers[0] -Compress -Depth 10))
      $output.Write($bytes, 0, $bytes.Length)
    } else {
      $isStopped = $shell.BeginStop($null, $null).AsyncWaitHandle.WaitOne(5000)
      $left = 1
      try { $left = Stop-Left } catch { }
      if (-not $isStopped) { $left++ }
    }
  } finally {
    # Both wait for a script that does not stop.
    if ($end -eq 'exited' -or $isStopped) {
      $shell.Dispose()
      $runspace.Dispose()
    }
  }
  Send-Line "$($request.nonce) end=$end rc=0 left=$left"
}

if (-not $windows) {
  $text = [IO.File]::ReadAllText('/proc/self/stat')
  $state.session = $text.Substring($text.LastIndexOf(')') + 2).Split(' ')[3]
}
Update-Known
$state.next = $in.ReadLineAsync()
$started = $self.StartTime.ToUniversalTime().Ticks
Send-Line "$($hello.nonce) runner=1 pid=$PID started=$started powershell=$($PSVersionTable.PSVersion)"
while ($true) {
  $line = $null
  try { $line = $state.next.Result } catch { }
  if ($null -eq $line) { break }
  $state.next = $in.ReadLineAsync()
  # A cancel of what has ended already.
  if (-not $line.StartsWith('{')) { continue }
  $request = ConvertFrom-Json $line
  $state.code = 'FAILED'
  try {
    if ($null -ne $request.script) {
      $state.code = 'SCRIPT_FAILED'
      Invoke-Script $request
    } else {
      $state.code = 'PROGRAM_NOT_STARTED'
      Invoke-Program $request
    }
  } catch {
    $say = [Convert]::ToBase64String($utf8.GetBytes((Get-Reason $_)))
    Send-Line "$($request.nonce) end=failed rc=0 left=0 code=$($state.code) say=$say"
  }
}
