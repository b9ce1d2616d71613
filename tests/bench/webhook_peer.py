"""The peer: a receiver as it is often written, in plain Flask. It keeps nothing."""

import logging

import click
from flask import Flask, request


def make() -> Flask:
    """Build the receiver: it reads the notification, looks at each alert, and answers 200."""
    app = Flask("peer")

    @app.post("/alerts")
    def take() -> str:
        alerts = request.get_json()["alerts"]
        firing = [alert["labels"] for alert in alerts if alert["status"] == "firing"]
        return f"{len(firing)} firing\n"

    @app.get("/-/ready")
    def say_ready() -> str:
        return "ready\n"

    return app


@click.command()
@click.option("--port", type=int, required=True)
def main(port: int) -> None:
    """Serve it as Flask itself does, with a thread for each connection, until killed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request would cost it
    make().run(port=port, threaded=True)


if __name__ == "__main__":
    main()
