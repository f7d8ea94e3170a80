"""The audit's own reach (issue E.5): 1,000 Dockerfiles in 5 s, start to verdict in 0.7 s, as processor time."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

from offline.audit.project import audit

KIT = Path(__file__).parents[2]
_DOCKERFILE = """\
ARG VERSION={number}
FROM node:${{VERSION}} AS web
WORKDIR /app
COPY package.json .
RUN npm ci && npm run build
FROM debian:12-slim
ENV LANG=C.UTF-8 TOOL=https://example.com/{number}
COPY install.sh /tmp/install.sh
RUN set -eux; \\
    apt-get update; \\
    # what the program needs
    apt-get install -y --no-install-recommends curl ca-certificates python3-pip; \\
    for name in a b c; do curl -fsSL "$TOOL/$name" -o "/usr/local/bin/$name"; done; \\
    if [ -n "${{EXTRA:-}}" ]; then pip install --no-cache-dir "$EXTRA"; fi; \\
    rm -rf /var/lib/apt/lists/*
RUN bash /tmp/install.sh {number}
COPY --from=web /app/dist /srv
CMD ["python3", "-m", "http.server"]
"""
_SCRIPT = "#!/bin/bash\nset -e\ngit clone https://example.com/$1 /src\nmake -C /src install\n"


def test_a_thousand_dockerfiles_take_five_seconds_at_most(tmp_path: Path) -> None:
    for number in range(1000):
        folder = tmp_path / f"{number:04}"
        folder.mkdir()
        (folder / "Dockerfile").write_text(_DOCKERFILE.format(number=number), encoding="utf-8")
        (folder / "install.sh").write_text(_SCRIPT, encoding="utf-8")
        (folder / "package.json").write_text("{}", encoding="utf-8")
    started = time.process_time()
    report = audit([tmp_path])
    taken = time.process_time() - started
    assert len(report.files) == 1000
    assert sum(item.type == "net_git" and item.path.endswith("install.sh") for item in report.inventory) == 1000
    assert taken <= 5, f"{taken:.1f} s"


def test_from_start_to_verdict_takes_seven_tenths_of_a_second_at_most(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"{number}.txt").write_text("x", encoding="utf-8")
    seed = KIT / "tests" / "fixtures" / "audit" / "seed"
    code = (
        "import sys; from pathlib import Path; from offline.audit.project import audit; "
        "from offline.audit.show import render; print(render(audit([Path(path) for path in sys.argv[1:]])))"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, str(seed), str(tmp_path)], cwd=KIT, check=True, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert "builds offline: no" in done.stdout
    assert taken <= 0.7, f"{taken:.2f} s"
