"""Options that several commands have mean the same in each."""

import collections

import click
import pytest

from kexport.cli._group import kexport

COMMANDS = {name: kexport.get_command(click.Context(kexport), name) for name in kexport.list_commands(None)}
#: Not shared: `run` takes one runtime and prints no report; `compare` searches without being asked to.
OWN = {("run", "--runtime"), ("compare", "--search")}


def shared():
    options = collections.defaultdict(dict)
    for name, command in COMMANDS.items():
        for option in command.params:
            if isinstance(option, click.Option) and (name, option.opts[0]) not in OWN:
                options[option.opts[0]][name] = option
    return {option: by_command for option, by_command in options.items() if len(by_command) > 1}


@pytest.mark.parametrize("option", shared())
def test_a_shared_option_has_one_help_text_and_one_default(option):
    options = list(shared()[option].values())
    for each in options:
        assert each.help == options[0].help
        assert each.default == options[0].default
        assert each.metavar == options[0].metavar
        assert each.type.name == options[0].type.name


def test_every_option_says_what_it_does():
    for command in COMMANDS.values():
        assert command.help
        assert all(each.help for each in command.params if isinstance(each, click.Option))


def test_the_default_of_a_search_is_stated_once():
    from kexport.parity.budget import DEFAULT_SEARCH

    (search,) = [each for each in COMMANDS["compare"].params if each.opts[0] == "--search"]
    assert search.default == DEFAULT_SEARCH
    assert search.help.endswith(f"By default {DEFAULT_SEARCH}.")
