"""Stand-ins for projects: each says how it is, and counts the commands that it carried out."""

from dataclasses import dataclass, field

from aiohttp import web

from orchestrator.health import State


@dataclass(slots=True)
class Project:
    """One of them. A restart heals it, unless it is deaf: then it only says that it did."""

    name: str
    state: State = State.HEALTHY
    deaf: bool = False
    carried_out: dict[str, str] = field(default_factory=dict)  # key -> action

    @property
    def actions(self) -> list[str]:
        """The actions that it carried out, one for each key."""
        return list(self.carried_out.values())


class Fleet:
    """All of them behind one listener, each below its name."""

    def __init__(self) -> None:
        self.projects: dict[str, Project] = {}

    def add(self, name: str, state: State = State.HEALTHY, *, deaf: bool = False) -> Project:
        """Let one more project be there."""
        project = self.projects[name] = Project(name, state, deaf)
        return project

    def app(self) -> web.Application:
        """Return the application that answers for all of them."""
        app = web.Application()
        app.router.add_get("/{name}/health", self._health)
        app.router.add_post("/{name}/control", self._control)
        return app

    async def _health(self, request: web.Request) -> web.Response:
        state = self.projects[request.match_info["name"]].state
        status = 503 if state is State.DOWN else 200
        return web.json_response({"status": state}, status=status)

    async def _control(self, request: web.Request) -> web.Response:
        project = self.projects[request.match_info["name"]]
        key, asked = request.headers["Idempotency-Key"], await request.json()
        replayed = key in project.carried_out
        if not replayed:
            project.carried_out[key] = asked["action"]
            project.state = project.state if project.deaf else State.HEALTHY
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        return web.json_response({"state": "completed", "detail": "restarted"}, headers=headers)
