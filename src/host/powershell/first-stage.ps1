$ProgressPreference='SilentlyContinue';$utf8=New-Object Text.UTF8Encoding $false;try{[Console]::InputEncoding=$utf8;[Console]::OutputEncoding=$utf8}catch{}
$in=New-Object IO.StreamReader ([Console]::OpenStandardInput()),$utf8;$first=$in.ReadLine();if($first){$hello=ConvertFrom-Json $first;&([ScriptBlock]::Create($hello.runner))}
