"""The example configuration says what the program does: every key in it exists and stands there with its default."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_every_key_of_the_example_is_a_setting_with_its_default(program):
    page = subprocess.run([program, "settings"], capture_output=True, text=True, timeout=60, check=True).stdout
    defaults = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0].startswith("`"):
            defaults[cells[0].strip("`")] = cells[2].strip("`").replace("\\|", "|")
    section, shown = None, {}
    for line in (ROOT / "deploy/touchstream.yaml").read_text().splitlines():
        if head := re.fullmatch(r"#?([a-z_]+):", line):
            section = head[1]
        elif key := re.fullmatch(r"  #?([a-z0-9_.]+): (.*)", line):
            shown["%s.%s" % (section, key[1])] = key[2].strip('"').strip("[]").replace("{}", "")
    assert shown, "nothing found in the example"
    wrong = {key: (value, defaults.get(key, "no such setting")) for key, value in shown.items() if defaults.get(key) != value}
    assert not wrong, "deploy/lib/example.py writes the file anew; it differs in %s" % wrong
    assert defaults.keys() <= shown.keys(), "deploy/lib/example.py writes the file anew; missing: %s" % (defaults.keys() - shown.keys())


def test_the_example_is_a_valid_configuration(program):
    done = subprocess.run([program, "check", "--config", str(ROOT / "deploy/touchstream.yaml")], capture_output=True, text=True, timeout=60)
    assert done.returncode != 2, done.stderr


def test_the_receivers_of_the_example_are_such_as_the_program_takes(program, tmp_path):
    lines = (ROOT / "deploy/touchstream.yaml").read_text().splitlines()
    begin = lines.index("  #   receivers:")
    end = next(number for number in range(begin + 1, len(lines)) if not lines[number].startswith("  #     "))
    file = tmp_path / "receivers.yaml"
    file.write_text("notify:\n" + "".join("  %s\n" % line[6:] for line in lines[begin:end]))
    done = subprocess.run([program, "notify", "--test", "nobody", "--config", str(file)], capture_output=True, text=True, timeout=60)
    assert "no receiver is called 'nobody'" in done.stderr, file.read_text() + done.stderr
