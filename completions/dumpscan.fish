# Completion of dumpscan(1) for fish.
set -l commands analyze info query tables patterns explain error help
set -l none "not __fish_seen_subcommand_from $commands"
complete -c dumpscan -n $none -a analyze -d 'Say what went wrong in each dump'
complete -c dumpscan -n $none -a info -d 'What the header of each dump tells'
complete -c dumpscan -n $none -a query -d 'Ask the tables of a dump with one SELECT'
complete -c dumpscan -n $none -a tables -d 'The tables that queries and patterns can ask'
complete -c dumpscan -n $none -a patterns -d 'List, show or check the patterns'
complete -c dumpscan -n $none -a explain -d 'What a bugcheck and its parameters mean'
complete -c dumpscan -n $none -a error -d 'What an NTSTATUS, HRESULT or Win32 code means'
complete -c dumpscan -n $none -a help -d 'Show help, also of one command'
complete -c dumpscan -n '__fish_seen_subcommand_from help' -f -a "$commands"
complete -c dumpscan -n '__fish_seen_subcommand_from patterns' -a 'list show check'
complete -c dumpscan -s f -l format -x -a 'text json jsonl csv' -d 'Output format'
complete -c dumpscan -s o -l output -r -d 'Write to a file'
complete -c dumpscan -l patterns -r -d 'Use these patterns as well'
complete -c dumpscan -l symbols -r -d 'Look for symbol tables here'
complete -c dumpscan -l fail-on -x -a 'info low medium high critical' -d 'Exit with 10 on such a finding'
complete -c dumpscan -s v -l verbose -d 'Show registers, all drivers and all patterns'
complete -c dumpscan -n '__fish_seen_subcommand_from explain' -l list -d 'List all bugcheck codes'
complete -c dumpscan -l color -x -a 'auto always never' -d 'Colour text'
complete -c dumpscan -s h -l help -d 'Show help'
complete -c dumpscan -s V -l version -d 'Show the version'
