# Completion of dumpscan(1) for bash.
_dumpscan() {
    local cur prev command word
    local commands="analyze info query tables patterns vtop pte read maps share stack graph dt ln convert explain error strip help"
    local everywhere="--color --help --version -h -V"
    cur=${COMP_WORDS[COMP_CWORD]}
    prev=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $prev in
    -t | --type) mapfile -t COMPREPLY < <(compgen -W "db dw dd dq dc dp dps da du" -- "$cur") && return ;;
    -f | --format) mapfile -t COMPREPLY < <(compgen -W "text json jsonl csv" -- "$cur") && return ;;
    --fail-on) mapfile -t COMPREPLY < <(compgen -W "info low medium high critical" -- "$cur") && return ;;
    --form) mapfile -t COMPREPLY < <(compgen -W "auto full bitmap" -- "$cur") && return ;;
    --color) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur") && return ;;
    -o | --output | --patterns | --symbols) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case " $commands " in
        *" $word "*) command=$word && break ;;
        esac
    done
    if [[ $cur == -* ]]; then
        local options
        case $command in
        "" | analyze) options="--format --output --patterns --symbols --fail-on --max-inflated --raw --dtb --kernel-base --kdbg --verbose -f -o -v" ;;
        info) options="--format --output --max-inflated --raw -f -o" ;;
        tables | error) options="--format --output -f -o" ;;
        query | graph) options="--format --output --symbols --max-inflated --raw --dtb --kernel-base --kdbg -f -o" ;;
        patterns) options="--output --patterns -o" ;;
        read) options="--format --output --symbols --process --max-inflated --raw --dtb --kernel-base --kdbg --physical --type --binary -f -o -p -t" ;;
        maps) options="--format --output --symbols --process --max-inflated --raw --dtb --kernel-base --kdbg --virtual -f -o" ;;
        share) options="--format --output --symbols --max-inflated --raw --kernel-base --kdbg -f -o" ;;
        stack) options="--format --output --symbols --process --max-inflated --raw --dtb --kernel-base --kdbg --all --find --processor --verbose -f -o -v" ;;
        dt) options="--format --output --symbols --process --max-inflated --raw --dtb --kernel-base --kdbg --depth -f -o -r" ;;
        ln) options="--format --output --symbols --process --max-inflated --raw --dtb --kernel-base --kdbg -f -o" ;;
        convert) options="--output --symbols --form --max-inflated --raw --dtb --kernel-base --kdbg -o" ;;
        vtop | pte) options="--format --output --symbols --process --max-inflated --raw --dtb --kernel-base --kdbg -f -o" ;;
        strip) options="--output --paths --blobs --force --max-inflated -o" ;;
        explain) options="--format --output --list -f -o" ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$options $everywhere" -- "$cur")
        return
    fi
    case $command in
    "") mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur" && compgen -f -- "$cur") ;;
    help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
    patterns) mapfile -t COMPREPLY < <(compgen -W "list show check" -- "$cur" && compgen -f -- "$cur") ;;
    tables)
        mapfile -t COMPREPLY < <(compgen -W "$(dumpscan tables 2>/dev/null |
            sed -n 's/^\([a-z_][a-z_]*\).*/\1/p')" -- "$cur")
        ;;
    explain | error) ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}
complete -o filenames -F _dumpscan dumpscan
