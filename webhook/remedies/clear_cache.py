"""clear_cache: let a project drop its cache, and other memory that it can do without."""

from webhook.remedy import Remedy, Way, not_at_work

REMEDY = Remedy(
    name="clear_cache",
    done="clearing its cache",
    way=Way.CONTROL,
    disruptive=False,
    precondition=not_at_work,  # its memory is its own: nobody else can drop it
)
