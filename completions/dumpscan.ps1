# Completion of dumpscan(1) for PowerShell: dot-source this file in your profile.
Register-ArgumentCompleter -Native -CommandName dumpscan, dumpscan.exe -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
    $previous = ''
    foreach ($element in $commandAst.CommandElements) {
        if ($element.Extent.EndOffset -lt $cursorPosition) { $previous = $element.ToString() }
    }
    $commands = 'analyze', 'info', 'query', 'tables', 'patterns', 'vtop', 'pte', 'read', 'maps', 'share', 'stack', 'graph', 'dt', 'ln', 'convert', 'explain', 'error', 'strip', 'help'
    $options = '--format', '--output', '--patterns', '--symbols', '--fail-on', '--verbose', '--max-inflated', '--form',
        '--list', '--process', '--dtb', '--physical', '--type', '--binary', '--virtual', '-p', '-t', '--raw', '--kernel-base', '--kdbg',
        '--paths', '--blobs', '--force', '--all', '--find', '--processor', '--depth', '-r', '--color', '--help', '--version', '-f', '-o', '-v', '-h', '-V'
    $values = switch -CaseSensitive ($previous) {
        { $_ -in '-f', '--format' } { 'text', 'json', 'jsonl', 'csv' }
        '--fail-on' { 'info', 'low', 'medium', 'high', 'critical' }
        '--color' { 'auto', 'always', 'never' }
        { $_ -in '-t', '--type' } { 'db', 'dw', 'dd', 'dq', 'dc', 'dp', 'dps', 'da', 'du' }
        'patterns' { 'list', 'show', 'check' }
        'help' { $commands }
    }
    if (-not $values) {
        $values = if ($wordToComplete -like '-*') { $options }
        elseif ($words.Count -le 2) { $commands }
    }
    $values | Where-Object { $_ -clike "$wordToComplete*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
