$null = New-PSDrive -Name C -PSProvider FileSystem -Root "$env:WINSIM_ROOT/drive" -Scope Global
. "$env:WINSIM_CLASSES"
