import subprocess
import sys

import pytest

from salesconnect.operations.reloading import Reload
from salesconnect.operations.supervisor import Child, terminate


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield Child("web", lambda: None, terminate(5), process=process)
    process.kill()
    process.wait()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def reload(tmp_path, child, said) -> Reload:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "people.py").write_text("")
    return Reload([tmp_path], [child], said.append)


def test_as_long_as_nothing_changes_nothing_is_restarted(reload, child, said):
    reload()
    assert (child.gone(), said) == (False, [])


@pytest.mark.parametrize("name", ["views/people.py", "views/new.py", "statement.sql"])
def test_a_file_of_code_that_changes_or_appears_ends_what_has_loaded_it(name, reload, child, said, tmp_path):
    (tmp_path / name).write_text("changed = True")
    reload()
    child.process.wait(30)
    assert said == [f"{name.rpartition('/')[2]} has changed; the code is loaded again"]


def test_a_file_that_goes_does_so_too(reload, child, tmp_path):
    (tmp_path / "views" / "people.py").unlink()
    reload()
    child.process.wait(30)


def test_templates_and_styles_are_read_anew_without_it(reload, child, said, tmp_path):
    (tmp_path / "page.html").write_text("")
    (tmp_path / "page.css").write_text("")
    reload()
    assert (child.gone(), said) == (False, [])
