from playwright.async_api import async_playwright
from app import clock, db
from app.people import links, queries, commands, passwords
from app.people.doors import cookie_name
from app.people.models import PersonId
from axe_playwright_python.async_playwright import Axe

async def test_shots(street):
    async with db.begin() as tx:
        link, code = await links.make_join_link(tx, street.cora.viewer, clock.now())
        kim = await commands.add_person(tx, "kim@example.org", "Kim Park", "seven quiet hammers", clock.now())
        await commands.ask_to_join(tx, PersonId(kim.id), street.here.slug, "Third floor left", clock.now())
    async with db.begin() as tx:
        secret = await links.make_reset_link(tx, street.ben.id, street.cora.viewer, clock.now())
    home = street.here.path
    async with async_playwright() as p:
        b = await p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for width in (390, 1280):
            for scheme in ("light", "dark"):
                for who in ("cora", ""):
                    ctx = await b.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
                    if who:
                        await ctx.add_cookies([{"name": cookie_name(), "value": street.cora.cookie, "url": street.cora.at.url}])
                        pages = {"members": f"{home}/members", "profile": "/profile", "poster": f"{home}/poster/{link.id}", "choose": "/communities"}
                    else:
                        pages = {"join": f"/join/{code}", "ask": f"/join?community={street.here.slug}", "signin": "/sign-in", "reset": f"/reset/{secret}"}
                    page = await ctx.new_page()
                    for name, path in pages.items():
                        r = await page.goto(street.cora.at.url + path)
                        assert r.status == 200, (path, r.status)
                        if name == "members":
                            for s in await page.query_selector_all("details.more-acts > summary"):
                                await s.click()
                        res = await Axe().run(page)
                        for v in res.response["violations"]:
                            print("AXE", name, width, scheme, v["id"], [n["html"][:120] for n in v["nodes"]][:3])
                        await page.screenshot(path=f"/tmp/shot_{name}_{width}_{scheme}.png", full_page=True)
                    await ctx.close()
        await b.close()
