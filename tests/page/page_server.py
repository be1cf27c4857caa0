"""TEMP"""
import asyncio
from aiohttp import web
import msgspec, sys
from pathlib import Path
from tests.page.scenes import SCENES
from tests.page.view_types import GroupSnapshot
FOLDER = Path("streams/web/page")
CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
def app(group):
    async def static(request):
        name = request.match_info.get("name", "index.html")
        p = FOLDER / name
        return web.Response(body=p.read_bytes(), content_type=TYPES[p.suffix], charset="utf-8", headers={"Content-Security-Policy": CSP})
    async def snapshot(request):
        return web.Response(body=msgspec.json.encode(GroupSnapshot(group.monitor.view(group.now_ms), group.monitor.history)), content_type="application/json")
    async def events(request):
        r = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await r.prepare(request)
        while True:
            await r.write(b"event: group\ndata: " + msgspec.json.encode(group.monitor.view(group.now_ms)) + b"\n\n")
            await asyncio.sleep(2)
    a = web.Application()
    a.router.add_get("/", static); a.router.add_get("/page/{name}", static); a.router.add_get("/group", snapshot); a.router.add_get("/group/events", events)
    return a
if __name__ == "__main__":
    web.run_app(app(SCENES[sys.argv[1]]()), host="127.0.0.1", port=int(sys.argv[2]), print=None)
