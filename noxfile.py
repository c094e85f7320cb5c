# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every check of the collection. All of them: make test. One of them: nox -s NAME (nox -l lists them)."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tests"))

import pins  # noqa: E402

BUILD = ROOT / ".build"
INSTALLED = BUILD / "collections" / "ansible_collections" / "kubenode" / "connections"
CHECKOUT = BUILD / "dev" / "ansible_collections" / "kubenode" / "connections"

PYTHONS = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")

# ansible-core, controller Python, oldest and newest Python that this ansible-core supports on a node.
MATRIX = (
    ("2.16.19", "3.10", "3.6", "3.12"),
    ("2.17.14", "3.10", "3.7", "3.12"),
    ("2.18.19", "3.11", "3.8", "3.13"),
    ("2.19.14", "3.11", "3.8", "3.13"),
    ("2.20.10", "3.12", "3.9", "3.13"),
    ("2.21.5", "3.12", "3.9", "3.13"),
    ("2.21.5", "3.13", "3.9", "3.13"),
)

# Controller Python -> the ansible-core that its unit tests run with: the newest one.
UNIT_CORES = {python: core for core, python, *_nodes in MATRIX}

# What the controller needs to run the collection (requirements.txt), and what unit tests need.
CONTROLLER = ("ansible-core", "jmespath")
UNIT = ("hypothesis", "jmespath", "jsonschema", "pytest")

NODE_TESTS = "tests/unit/plugins/module_utils"

# Sessions with virtual machines.
MACHINES = ("lab", "molecule_ipvs", "cluster_start")

ELSEWHERE = (
    "Left to make kernels: tests/lab, molecule_ipvs on the kernels in between, and distributions. "
    "Left to make pythons: unit tests on the Pythons in between, sanity, interpreters and playbooks on the "
    "ansible-cores in between. "
    "Left to make proof: tests/proof. "
    "Left to make trust: the faults of tests/trust that trust_part leaves out. "
    "Left to nox -s cluster: the other tests of tests/cluster."
)

# So many lines of a session that failed are printed once more at the end.
LAST_LINES = 120

# Program -> the Debian package it comes in.
PROGRAMS = {
    "chromium": "chromium",
    "git": "git",
    "ip": "iproute2",
    "iptables": "iptables",
    "/usr/lib/cni/tuning": "containernetworking-plugins",
    "shellcheck": "shellcheck",
    "strace": "strace",
    "unshare": "util-linux",
}


def interpreter_path() -> str:
    """Return PATH with the real interpreters of pyenv first: its shims answer only for the versions selected."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    versions = [str(folder) for folder in sorted(pyenv.glob("versions/*/bin"), reverse=True)]
    others = [folder for folder in os.environ["PATH"].split(os.pathsep) if "shims" not in Path(folder).parts]
    return os.pathsep.join([folder for folder in versions if folder not in others] + others)


os.environ["PATH"] = interpreter_path()
FOUND = [python for python in PYTHONS if shutil.which(f"python{python}")]
CONTROLLERS = [python for python in FOUND if python in UNIT_CORES]
# Of those that were found the oldest Python of nodes, and the newest of nodes and controllers.
OUTER_PYTHONS = FOUND[:1] + CONTROLLERS[-1:]
# The pinned versions of atheris and Sphinx are for these controller Pythons; the newest of them that was found.
NEW_PYTHON = next((python for python in ("3.13", "3.12") if python in FOUND), "3.13")
# Each ansible-core on the newest of its controller Pythons that was found.
CORES = list({core: nox.param(core, python, id=core) for core, python, *_nodes in MATRIX if python in FOUND}.values())
# The oldest and the newest of them, and those in between.
OUTER, INNER = CORES[:1] + CORES[1:][-1:], CORES[1:-1]

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "venv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
nox.options.allow_parallel = True
nox.options.error_on_external_run = True
nox.options.envdir = str(ROOT / ".nox")


def install(session: nox.Session, *names: str, lock: str = "tools") -> None:
    """Install packages and what they need by the hashes of a lock; does nothing where the same is there already."""
    pinned = pins.read(lock, names)
    listed = Path(session.virtualenv.location, "requirements.txt")
    marker = Path(session.virtualenv.location, "installed.sha256")
    wanted = hashlib.sha256(pinned.encode()).hexdigest()
    if marker.exists() and marker.read_text(encoding="ascii") == wanted:
        return
    listed.write_text(pinned, encoding="utf-8")
    # A lock has all that is needed. What the collection ansible asks for is another ansible-core than ours.
    options = ("--disable-pip-version-check", "--no-deps", "--require-hashes")
    session.install(*options, "-r", str(listed))
    marker.write_text(wanted, encoding="ascii")


def install_tools(session: nox.Session, *names: str) -> None:
    """Install the named tools, with the ansible-core of this Python."""
    install(session, *CONTROLLER, *names)


def install_core(session: nox.Session, core: str, *names: str) -> None:
    """Install this ansible-core, and more."""
    install(session, "ansible-core", *names, lock="tools" if core in UNIT_CORES.values() else "older")


def checkout_as_collection() -> dict[str, str]:
    """Return an environment in which Python and Ansible find this checkout as kubenode.connections."""
    CHECKOUT.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        CHECKOUT.symlink_to(os.path.relpath(ROOT, CHECKOUT.parent))
    tree = str(BUILD / "dev")
    return {"ANSIBLE_COLLECTIONS_PATH": tree, "MYPYPATH": tree, "PYTHONPATH": tree}


def interpreter_inventory(core: str) -> dict[str, object]:
    """Return an inventory with this machine as one host for each Python found that this ansible-core supports."""
    oldest, newest = next((row[2], row[3]) for row in MATRIX if row[0] == core)
    supported = PYTHONS[PYTHONS.index(oldest) : PYTHONS.index(newest) + 1]
    interpreters = {python: shutil.which(f"python{python}") for python in supported if python in FOUND}
    hosts = {f"python{python}": {"ansible_python_interpreter": path} for python, path in interpreters.items()}
    return {"all": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}


def private_home(name: str) -> dict[str, str]:
    """Return an environment with a home folder of the session's own, in which ansible-test needs no download.

    ansible-test gets pip into its environments with a script that it downloads into the user's home. The script put
    there instead takes the pip that each Python brings: much faster, and good for a machine without internet. The
    user's own settings and cache of pip are linked, because ansible-test hands on no variables but HOME.
    """
    home = BUILD / "home" / name
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in ("21_3_1", "23_1_2", "24_2", "25_2"):
        shutil.copy(ROOT / "tests" / "get_pip.py", cache / f"get_pip_{version}.py")
    for folder in (".cache/pip", ".config/pip", ".pip"):
        if (Path.home() / folder).is_dir() and not (home / folder).exists():
            (home / folder).parent.mkdir(exist_ok=True)
            (home / folder).symlink_to(Path.home() / folder)
    return {"HOME": str(home)}


@nox.session(name="install", python=False)
def install_collection(session: nox.Session) -> None:
    """Build the collection and install it into .build/collections, as a user does with ansible-galaxy."""
    session.run("make", "--no-print-directory", f"PYTHON={sys.executable}", "install", external=True)
    # ansible-test takes the nearest git repository for the list of files: without this one the checkout around
    # .build, which ignores .build.
    session.run("git", "init", "--quiet", str(INSTALLED), external=True)


@nox.session(name="pins", default=False)
def renew_pins(session: nox.Session) -> None:
    """Write tests/locks anew: the newest packages that the requirements allow, with the hash of each file."""
    install(session, "uv")
    session.run("python", "tests/pins.py", "--renew")


@nox.session(default=False)
def lab(session: nox.Session) -> None:
    """Check that the lab's virtual machines are what the proofs rely on."""
    require_lab(session)
    install_tools(session, *UNIT)
    session.run("python", "-m", "pytest", "tests/lab", env=checkout_as_collection())


@nox.session
def ruff(session: nox.Session) -> None:
    """Style and common mistakes of the Python code."""
    install(session, "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def mypy(session: nox.Session) -> None:
    """Types of everything that runs on the controller, and of the benchmarks."""
    install_tools(session, "mypy", "types-PyYAML")
    package = "ansible_collections.kubenode.connections.plugins"
    parts = [part for part in ("plugin_utils", "filter", "test", "action") if (ROOT / "plugins" / part).is_dir()]
    env = checkout_as_collection()
    session.run("mypy", *(f"--package={package}.{part}" for part in parts), env=env)
    bench = [str(path) for path in sorted(ROOT.glob("tests/bench/*.py"))]
    session.run("mypy", *bench, env=env | {"MYPYPATH": f"{env['MYPYPATH']}:{ROOT / 'tests/bench'}"})


@nox.session
def yamllint(session: nox.Session) -> None:
    """Style of the YAML files."""
    install(session, "yamllint")
    session.run("yamllint", "--strict", ".")


@nox.session
def reuse(session: nox.Session) -> None:
    """Every file says its copyright and its licence."""
    install(session, "reuse")
    session.run("reuse", "lint", "--lines")


@nox.session
def workflows(session: nox.Session) -> None:
    """What GitHub reads: workflows, by their schema and zizmor, and forms; and the hooks of pre-commit."""
    install(session, "check-jsonschema", "pre-commit", "zizmor")
    forms = ".github/ISSUE_TEMPLATE"
    for schema, files in {
        "github-workflows": sorted(str(path) for path in ROOT.glob(".github/workflows/*.yml")),
        "github-issue-forms": [f"{forms}/bug.yml", f"{forms}/idea.yml"],
        "github-issue-config": [f"{forms}/config.yml"],
        "dependabot": [".github/dependabot.yml"],
    }.items():
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)
    session.run("zizmor", "--offline", "--pedantic", ".github")
    session.run("pre-commit", "validate-config")
    files = ["noxfile.py", "galaxy.yml", ".github/workflows/ci.yml"]
    env = {"PRE_COMMIT_HOME": str(Path(session.virtualenv.location, "pre-commit"))}
    session.run("pre-commit", "run", "--verbose", "--files", *files, env=env)


@nox.session
def ansible_lint(session: nox.Session) -> None:
    """Playbooks, roles and metadata, by ansible-lint's profile production."""
    install_tools(session, "ansible-lint")
    session.run("ansible-lint", "--offline", "--strict", env=checkout_as_collection() | {"NO_COLOR": "1"})


@nox.session
def docs(session: nox.Session) -> None:
    """Documentation of plugins and roles, its semantic markup included."""
    install_tools(session, "antsibull-docs")
    checks = ("--plugin-docs", "--validate-collection-refs", "self")
    session.run("antsibull-docs", "lint-collection-docs", *checks, ".", env=checkout_as_collection())


@nox.session(python=NEW_PYTHON)
def docsite(session: nox.Session) -> None:
    """The pages, and the documentation of plugins and roles, as a site in .build/docsite; a warning fails."""
    install_tools(session, "antsibull-docs", "myst-parser", "sphinx", "sphinx-ansible-theme")
    site = BUILD / "docsite"
    shutil.rmtree(site, ignore_errors=True)
    for pattern in ("*.md", "docs/**/*.*", "roles/*/README.md", "tests/lab/README.md"):
        for path in ROOT.glob(pattern):
            page = site / "pages" / path.relative_to(ROOT)
            page.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, page)
    shutil.copy(ROOT / "docs" / "docsite" / "index.rst", site / "pages")
    plugins = site / "pages" / "collection"
    plugins.mkdir()
    how = ("--fail-on-error", "--use-current", "--squash-hierarchy", f"--dest-dir={plugins}")
    session.run("antsibull-docs", "collection", *how, "kubenode.connections", env=checkout_as_collection(), silent=True)
    folders = (str(site / "pages"), str(site / "html"))
    session.run("sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", "--conf-dir=docs/docsite", *folders)
    session.log(f"Open {site / 'html' / 'index.html'}")


@nox.session
def changelog(session: nox.Session) -> None:
    """Fragments and changelog."""
    install_tools(session, "antsibull-changelog")
    session.run("antsibull-changelog", "lint")
    session.run("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml")


@nox.session(requires=["install"])
def importer(session: nox.Session) -> None:
    """Galaxy's own import of the built artifact."""
    install(session, *CONTROLLER, "galaxy-importer", lock="importer")
    artifact = max(BUILD.glob("kubenode-connections-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    session.chdir(session.create_tmp())
    output = session.run("python", "-m", "galaxy_importer.main", str(artifact), silent=True)
    complaints = [line for line in str(output).splitlines() if line.startswith(("ERROR", "WARNING"))]
    if complaints:
        session.error("\n".join(["galaxy-importer complains:", *complaints]))


@nox.session(requires=["importer", "changelog", "docs", "licences", "reuse", "workflows"], default=False)
def release(session: nox.Session) -> None:
    """Check and build what is released of the last commit, and say what a maintainer does next; uploads nothing."""
    install_tools(session, "cyclonedx-python-lib", "jsonschema")
    module = "ansible_collections.kubenode.connections.tests.release"
    env = checkout_as_collection() | {"ANSIBLE_HOME": session.create_tmp()}
    session.run("python", "-m", module, str(BUILD / "release"), env=env)
    session.run("python", "tests/sbom.py", *(str(path) for path in (BUILD / "release").glob("*.cdx.json")))


@nox.session(default=False)
def licences(session: nox.Session) -> None:
    """The licences of all that other sessions install with this Python are among those of pyproject.toml."""
    install(session, "pip-licenses")
    for lock in sorted(path.stem for path in pins.LOCKS.glob("*.txt")):
        folder = Path(session.create_tmp(), lock)
        listed = folder.with_suffix(".txt")
        listed.write_text(pins.read(lock, pins.names(lock)), encoding="utf-8")
        session.run("python", "-m", "venv", "--clear", str(folder))
        python = str(folder / "bin" / "python")
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r", str(listed))
        session.run(python, "-m", "pip", "install", *options, external=True)
        session.run("pip-licenses", f"--python={python}", "--summary")


@nox.session(python=sorted({*OUTER_PYTHONS, *CONTROLLERS[:1]}, key=PYTHONS.index))
def units(session: nox.Session) -> None:
    """Unit tests on the oldest and the newest Python found, of nodes and of controllers."""
    if session.python not in CONTROLLERS:
        run_units(session, NODE_TESTS)
    elif session.python in OUTER_PYTHONS:
        run_units(session, "tests/unit")
    else:
        run_units(session, "tests/unit", f"--ignore={NODE_TESTS}")


@nox.session(python=[python for python in FOUND if python not in OUTER_PYTHONS], default=False)
def pythons(session: nox.Session) -> None:
    """Unit tests on the Pythons in between: of the node's side, and of all where a controller may have them."""
    run_units(session, "tests/unit" if session.python in CONTROLLERS[1:] else NODE_TESTS)


@nox.session(requires=["install"], default=False)
@nox.parametrize("core, python", INNER)
def cores(session: nox.Session, core: str) -> None:
    """Sanity, interpreters and playbooks with the ansible-cores in between."""
    run_plays(session, core, "tests/playbooks")
    run_interpreters(session, core)
    run_sanity(session, core)


@nox.session
@nox.parametrize("core, python", OUTER)
def playbooks(session: nox.Session, core: str) -> None:
    """Run the playbooks whole, as a user does, with the oldest and the newest ansible-core."""
    run_plays(session, core, "tests/playbooks")


@nox.session
@nox.parametrize("core, python", CORES[-1:])
def roles(session: nox.Session, core: str) -> None:
    """Run roles and modules on files of this machine: what they give back, and that they print no secret."""
    run_plays(session, core, "tests/roles")


@nox.session(python=NEW_PYTHON)
def fuzz(session: nox.Session) -> None:
    """Give every parser hostile input, the same each time; make trust gives a million and writes docs/trust.md."""
    install_tools(session, *UNIT, "atheris")
    env = checkout_as_collection() | {"PYTHONHASHSEED": "0"}
    session.run("python", "-m", "ansible_collections.kubenode.connections.tests.fuzz", *session.posargs, env=env)


@nox.session
@nox.parametrize("core, python", CORES[-1:])
def bench(session: nox.Session, core: str) -> None:
    """Run each benchmark at its smallest size, so that none can rot. make bench runs them at their full sizes."""
    if os.geteuid() != 0:
        session.skip("bench: nodes are network and mount namespaces, which only root makes.")
    # The collections of ansible are for the ways of others.
    install_core(session, core, *UNIT, "ansible")
    sshd = shutil.which("sshd") or unpacked("sshd", "openssh-server", "libwrap0")
    env = checkout_as_collection() | ({"SSHD": sshd} if sshd else {})
    session.run("python", "tests/bench", *session.posargs, env=env)


@nox.session(requires=["install"])
@nox.parametrize("core, python", OUTER)
def sanity(session: nox.Session, core: str) -> None:
    """Check the installed collection with ansible-test sanity, without any ignore file."""
    install_core(session, core)
    run_sanity(session, core)


@nox.session(requires=["install"])
@nox.parametrize("core, python", OUTER)
def interpreters(session: nox.Session, core: str) -> None:
    """Run the modules of the installed collection through Ansible on the Pythons that it supports on nodes."""
    install_core(session, core)
    run_interpreters(session, core)


def run_sanity(session: nox.Session, core: str) -> None:
    """Run all of ansible-test's sanity tests on the installed collection."""
    session.chdir(INSTALLED)
    home = private_home(core)
    session.run("ansible-test", "sanity", "--color", "no", env=home)


def run_interpreters(session: nox.Session, core: str) -> None:
    """Run the modules on each Python found, in network and mount namespaces of their own."""
    inventory = Path(session.create_tmp(), "inventory.json")
    inventory.write_text(json.dumps(interpreter_inventory(core)), encoding="utf-8")
    env = {"ANSIBLE_COLLECTIONS_PATH": str(BUILD / "collections"), "ANSIBLE_HOME": session.create_tmp()}
    mount = "mount -t tmpfs -o mode=755 tmpfs $folder"
    own = f"for folder in /etc/sysctl.d /etc/modules-load.d /var/lib; do {mount} || exit; done"
    command = ["ansible-playbook", "-i", str(inventory), "tests/integration/interpreters.yml"]
    namespaces = ["unshare", "--net", "--mount", "sh", "-c", f'{own}; exec "$@"', "sh"]
    session.run(*namespaces, *command, external=True, env=env)


@nox.session
def manifests(session: nox.Session) -> None:
    """Manifests of pod_defaults against the schemas of Kubernetes; what its policies make of pods."""
    tools = ("cel-python", "jsonpatch", "kubernetes-validate")
    install_tools(session, *UNIT, *tools)
    session.run("python", "-m", "pytest", "tests/manifests", env=checkout_as_collection())


@nox.session(requires=["install"])
@nox.parametrize("scenario", ["default", "kube_proxy", "kubelet_http2", "pod_defaults"])
def molecule(session: nox.Session, scenario: str) -> None:
    """Apply, reboot and restore the roles on containers, as on a small cluster."""
    run_scenario(session, scenario)


@nox.session(requires=["install"])
def template(session: nox.Session) -> None:
    """Run the scenario of molecule that users copy, on containers, with the inventory of the examples."""
    # Of ansible it is the connection to containers.
    install_tools(session, *UNIT, "ansible", "molecule")
    env = checkout_as_collection() | {"ANSIBLE_COLLECTIONS_PATH": str(BUILD / "collections")}
    session.run("python", "-m", "pytest", "tests/template", env=env)


@nox.session(requires=["install"], default=False)
@nox.parametrize("release", ["bullseye", "trixie"])
def distributions(session: nox.Session, release: str) -> None:
    """Apply, reboot and restore on containers of other releases of Debian; the rest has Debian 12."""
    run_scenario(session, "default", {"LAB_DEBIAN": release})


@nox.session(requires=["install"], default=False)
def molecule_ipvs(session: nox.Session) -> None:
    """Do the same on virtual machines with real IPVS, one for each kernel of the lab."""
    require_lab(session)
    run_scenario(session, "ipvs")


@nox.session(default=False)
def proof(session: nox.Session) -> None:
    """Show each failure, cure it with the role, show the cure, on every kernel; writes docs/proof.md."""
    require_lab(session)
    install_tools(session, *UNIT)
    session.run("python", "-m", "pytest", "-s", "tests/proof", *session.posargs, env=checkout_as_collection())


@nox.session(default=False)
def trust(session: nox.Session) -> None:
    """Make each call of a run on the node fail, one at a time, in namespaces of their own; writes docs/trust.md."""
    run_faults(session, "--page", *session.posargs)


@nox.session
def trust_part(session: nox.Session) -> None:
    """Do the same with one in 150 of these faults, always the same ones."""
    run_faults(session, "--every", "150", *session.posargs)


@nox.session(default=False)
def cluster(session: nox.Session) -> None:
    """On a real cluster of two virtual machines, built once from source; writes a section of docs/proof.md."""
    run_cluster(session, "tests/cluster", "--page", *session.posargs)


@nox.session(default=False)
def cluster_start(session: nox.Session) -> None:
    """README's Start on that cluster: whom the audit names, and what apply and restore make of pods that run."""
    run_cluster(session, "tests/cluster/real/test_start.py", *session.posargs)


@nox.session
def monitoring(session: nox.Session) -> None:
    """Metrics, alert rules and dashboard of the report, by Prometheus's own promtool."""
    promtool = shutil.which("promtool") or unpacked("promtool", "prometheus")
    if promtool is None:
        session.skip("monitoring: there is no promtool, and apt-get cannot download the Debian package prometheus.")
    install_tools(session, *UNIT)
    env = checkout_as_collection() | {"PROMTOOL": promtool}
    session.run("python", "-m", "pytest", "tests/monitoring", env=env)


@nox.session(requires=["install"])
def execution_environment(session: nox.Session) -> None:
    """What ansible-builder and ansible-navigator make of the installed collection; no image is built."""
    install_tools(session, *UNIT, "ansible-builder", "ansible-navigator")
    env = checkout_as_collection() | {"COLLECTIONS": str(BUILD / "collections")}
    session.run("python", "-m", "pytest", "tests/environment", env=env)


@nox.session
def browser(session: nox.Session) -> None:
    """The report's page in a real Chromium: it renders, filters, prints, is accessible, and asks for no network."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        session.skip("browser: there is no chromium in PATH (Debian package chromium).")
    install_tools(session, *UNIT, "axe-playwright-python", "playwright")
    env = checkout_as_collection() | {"CHROMIUM": chromium}
    session.run("python", "-m", "pytest", "tests/browser", *session.posargs, env=env)


def unpacked(program: str, *packages: str) -> str | None:
    """Return a program out of Debian packages that are only unpacked: installed, the first would start a server."""
    folder = BUILD / "debian" / packages[0]
    if not list(folder.glob(f"usr/*bin/{program}")) and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        folder.mkdir(parents=True, exist_ok=True)
        quiet = {"cwd": folder, "check": False, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.run(["apt-get", "download", *packages], **quiet).returncode and os.geteuid() == 0:
            subprocess.run(["apt-get", "-qq", "update"], **quiet)
            subprocess.run(["apt-get", "download", *packages], **quiet)
        for archive in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", archive, folder], **quiet)
    return next((str(path) for path in folder.glob(f"usr/*bin/{program}")), None)


def require_lab(session: nox.Session) -> None:
    """Say why this machine cannot run the lab's virtual machines: skipped in make test, failed where asked for."""
    check = subprocess.run(
        [sys.executable, "tests/lab", "check"], check=False, capture_output=True, text=True, cwd=ROOT
    )
    if check.returncode:
        stop = session.skip if session.name in MACHINES else session.error
        stop(f"{session.name}: the lab cannot run here: {(check.stderr or check.stdout).strip()}")


def run_cluster(session: nox.Session, *tests: str) -> None:
    """Run tests against what Kubernetes is made of."""
    require_lab(session)
    install_tools(session, *UNIT, "ansible", "kubernetes")
    session.run("python", "-m", "pytest", *tests, env=checkout_as_collection())


def run_units(session: nox.Session, *tests: str) -> None:
    """Run these unit tests, with ansible-core where this Python has one."""
    core = UNIT_CORES.get(str(session.python))
    if core:
        install_core(session, core, *UNIT)
    else:
        install(session, *UNIT, lock="older")
    session.run("python", "-m", "pytest", *tests, *session.posargs, env=checkout_as_collection())


def run_faults(session: nox.Session, *options: str) -> None:
    """Run the tests that put faults into a run; only root makes the namespaces, and only strace the faults."""
    if os.geteuid() != 0 or not shutil.which("strace"):
        session.skip(f"{session.name}: it needs root and strace (Debian package strace).")
    install_tools(session, "ansible-core", *UNIT)
    session.run("python", "-m", "pytest", "tests/trust", *options, env=checkout_as_collection())


def run_plays(session: nox.Session, core: str, tests: str) -> None:
    """Run tests that start Ansible, in network and mount namespaces of their own."""
    install_core(session, core, *UNIT)
    session.run("python", "-m", "pytest", tests, *session.posargs, env=checkout_as_collection())


def run_scenario(session: nox.Session, scenario: str, given: dict[str, str] | None = None) -> None:
    """Run a molecule scenario on the installed collection.

    Molecule shows nothing of a command before its end, so what takes minutes the first time is built here.
    """
    install_tools(session, "molecule", "pytest-testinfra")
    if scenario == "ipvs":
        session.run("python", "tests/lab", "provide", *kernels_of(scenario))
    else:
        session.run("python", "-m", "tests.lab.container.image", env=given)
    env = {
        **(given or {}),
        "ANSIBLE_COLLECTIONS_PATH": str(BUILD / "collections"),
        "ANSIBLE_HOME": session.create_tmp(),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(BUILD / "molecule" / scenario),
        "PYTHONPATH": checkout_as_collection()["PYTHONPATH"],
    }
    session.run("molecule", "--base-config", ".config/molecule/config.yml", "test", "-s", scenario, env=env)


def kernels_of(scenario: str) -> list[str]:
    """The kernels of the lab that a scenario's nodes have."""
    inventory = ROOT / "molecule" / scenario / "inventory"
    files = [inventory / os.environ["LAB_HOSTS"]] if "LAB_HOSTS" in os.environ else sorted(inventory.glob("*.yml"))
    return [kernel for file in files for kernel in re.findall('lab_kernel: "([^"]+)"', file.read_text())]


def install_programs() -> list[str]:
    """Install the Debian packages of programs that are not there, as root; return a line for each still missing."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing Debian packages: {' '.join(missing)}", flush=True)
        apt_get = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
        subprocess.run([*apt_get, "update"], check=False, stdout=subprocess.DEVNULL)
        command = [*apt_get, "install", "--yes", "--no-install-recommends", *missing]
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=env)
    return [
        f"Missing: {program} (Debian package {package}); tests that need it cannot pass or are left out."
        for program, package in PROGRAMS.items()
        if not shutil.which(program)
    ]


def missing_pythons() -> list[str]:
    """Return a line for each Python that is not on this machine, with what is not tested for that reason."""
    lines = []
    for python in PYTHONS:
        if python not in FOUND:
            cores = sorted({row[0] for row in MATRIX if row[1] == python})
            ansible = f" and ansible-core {', '.join(cores)}" if cores else ""
            lines.append(f"Not tested: Python {python}{ansible} (no python{python} in PATH or pyenv).")
    return lines


def run_sessions(*arguments: str) -> tuple[int, list[tuple[str, str]], list[str]]:
    """Run nox with these arguments; return its exit code, each session's full name and result, and what it printed."""
    report = BUILD / "nox.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "nox", "--noxfile", __file__, "--report", str(report), *arguments]
    printed = []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as nox_run:
        for line in nox_run.stdout or ():
            print(line, end="", flush=True)
            printed.append(line)
    if not report.exists():
        return nox_run.returncode or 1, [], printed
    sessions = json.loads(report.read_text(encoding="utf-8"))["sessions"]
    results = [(max([each["name"], *each["signatures"]], key=len), each["result"]) for each in sessions]
    return nox_run.returncode, results, printed


def ends_of_failed(printed: list[str]) -> str:
    """The last lines of each session that failed; those run side by side have a headline each, with their result."""
    blocks = re.split(r"(?m)^(?=========== )", "".join(printed))
    failed = [block for block in blocks if ": failed" in block.partition("\n")[0]] or blocks[-1:]
    return "\n".join("\n".join(block.splitlines()[-LAST_LINES:]) for block in failed)


def main() -> int:
    """Run every session, or those asked for, and close with those that failed or were skipped, and their counts."""
    remarks = install_programs() + missing_pythons()
    print("\n".join(remarks), flush=True)
    BUILD.mkdir(exist_ok=True)
    asked = sys.argv[1:]
    os.environ.setdefault("LAB_HOSTS", "ends.yml")
    runs = [run_sessions("--parallel", "auto", *asked)]
    if not asked:
        # One after the other: their emulated machines need all cores.
        runs.append(run_sessions("-s", "molecule_ipvs", "cluster_start"))
        remarks.append(ELSEWHERE)
    results = [result for _code, found, _printed in runs for result in found]
    skipped = [name for name, result in results if result == "skipped"]
    failed = [name for name, result in results if result not in ("skipped", "success")]
    if failed and not asked:
        print(f"\nThe last lines of what failed: {', '.join(failed)}", flush=True)
        print(*[ends_of_failed(printed) for code, _found, printed in runs if code], sep="\n", flush=True)
    remarks += [f"Not run: {name}." for name in skipped] + [f"Failed: {name}." for name in failed]
    passed = len(results) - len(failed) - len(skipped)
    print("\n".join([*remarks, f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped"]), flush=True)
    return max(code for code, _found, _printed in runs)


if __name__ == "__main__":
    sys.exit(main())
