"""The figures as a Markdown table and as an SVG chart."""

from collections.abc import Mapping, Sequence
from math import log10

from deploy.checks.measure import Result

SERVERS = {"ours": "Clientele", "floor": "by hand", "stock": "stock DRF-JSON:API"}
Results = Mapping[tuple[str, str, int], Result]  # by workload, server, connections
COLOURS = {"ours": "#2f6f8f", "floor": "#8a8a8a", "stock": "#d08c3f"}


def table(results: Results, page: int) -> str:
    """What requests cost on each server, one connection at a time."""
    lines = [
        "| workload | ms of CPU: Clientele (server + database) | by hand | stock | ÷ by hand | "
        "stock ÷ ours |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for name in dict.fromkeys(name for name, _, _ in results):
        ours = results[name, "ours", 1]
        floor, stock = (results.get((name, server, 1)) for server in ("floor", "stock"))
        parts = f"**{ours.cpu:.2f}** ({ours.server:.2f} + {ours.database:.2f})"
        lines.append(
            f"| {name.format(page=page)} | {parts} | {_ms(floor)} | {_ms(stock)} | "
            f"{_ratio(ours, floor)} | {_ratio(stock, ours)} |"
        )
    return "\n".join(lines)


def latencies(results: Results, page: int) -> str:
    """Requests a second and how long they take, of the same `results`."""
    lines = ["| workload | connections | requests/s | p50 ms | p95 ms | p99 ms |"]
    lines.append("| --- | --: | --: | --: | --: | --: |")
    for (name, server, connections), found in results.items():
        times = " | ".join(f"{value:.1f}" for value in found.percentiles.values())
        lines.append(
            f"| {name.format(page=page)}, {SERVERS[server]} | {connections} | "
            f"{found.per_second:.0f} | {times} |"
        )
    return "\n".join(lines)


def ratios(results: Results) -> str:
    """What requests cost on ours, by what they cost by hand, for each number of connections."""
    lines: dict[int, list[str]] = {}
    for (name, server, connections), found in results.items():
        if server == "ours" and (floor := results.get((name, "floor", connections))):
            part = f"{name.split()[0]} {_ratio(found, floor)}"
            lines.setdefault(connections, []).append(part)
    return "\n".join(
        f"÷ by hand, {connections} at a time: {', '.join(parts)}"
        for connections, parts in lines.items()
    )


def _ms(found: Result | None) -> str:
    return f"{found.cpu:.2f}" if found else "-"


def _ratio(above: Result | None, below: Result | None) -> str:
    return f"{above.cpu / below.cpu:.2f}" if above and below else "-"


def chart(results: Results, page: int) -> str:
    """Bars of CPU per request on a logarithmic scale, as SVG."""
    names = list(dict.fromkeys(name for name, _, _ in results))
    left, width, row, bar = 330, 520, 62, 15
    height = 60 + row * len(names)
    most = max(found.cpu for found in results.values())
    scale = width / _magnitude(max(most, 1))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 90} {height}" '
        'font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<text x="12" y="22" font-weight="bold">Milliseconds of CPU per request, server and '
        "database (logarithmic)</text>",
    ]
    for place, (server, title) in enumerate(SERVERS.items()):
        x = left + place * 150
        parts.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{COLOURS[server]}"/>')
        parts.append(f'<text x="{x + 18}" y="43">{title}</text>')
    for index, name in enumerate(names):
        top = 56 + index * row
        parts.append(f'<text x="12" y="{top + 27}">{name.format(page=page)}</text>')
        for place, server in enumerate(SERVERS):
            found = results.get((name, server, 1))
            if not found:
                continue
            length, y = max(_magnitude(found.cpu) * scale, 1), top + place * (bar + 2)
            parts.append(
                f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar}" '
                f'fill="{COLOURS[server]}"/>'
                f'<text x="{left + length + 5:.1f}" y="{y + 12}">{found.cpu:.2f}</text>'
            )
    return "\n".join([*parts, "</svg>", ""])


def _magnitude(milliseconds: float) -> float:
    """How many times ten it is above 0.1, below which there is nothing to draw."""
    return log10(max(milliseconds, 0.1)) + 1


def growth(results: Mapping[tuple[str, int], Result], sizes: Sequence[int], page: str) -> str:
    """`results` maps (workload, size) to measure.Result."""
    lines = ["| workload | " + " | ".join(f"{size:,}" for size in sizes) + " | growth |"]
    lines.append("| --- |" + " --: |" * (len(sizes) + 1))
    for name in dict.fromkeys(name for name, _ in results):
        found = [results[name, size].cpu for size in sizes]
        cells = " | ".join(f"{value:.2f}" for value in found)
        lines.append(f"| {name.format(page=page)} | {cells} | {found[-1] / found[0]:.2f} |")
    return "\n".join(lines)
