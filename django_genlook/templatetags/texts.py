"""What the storefront element says, by gettext, so that a shop can translate or replace each sentence."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def texts(keep_days: int) -> dict[str, str]:
    """Return every text of the element in the current language; what stands in braces is filled in by the browser."""
    return {
        # The button on the page
        "button": _("Try it on"),
        "button_running": _("Your picture is being made"),
        "button_ready": _("See your picture"),
        "not_loaded": _("Try-on could not be loaded. Check your connection, then press again."),
        # The window
        "heading": _("See it on you"),
        "close": _("Close"),
        "checking": _("One moment…"),
        "unavailable": _("Not available right now"),
        # Choosing a photo
        "tip_person": _("One person, facing the camera"),
        "tip_frame": _("From the waist up, or full length"),
        "tip_light": _("Good light, simple background"),
        "consent": _("I agree that my photo is used to make this picture. It shows me, or someone who has agreed."),
        "kept": ngettext(
            "Your photo is sent to Genlook, which makes the picture. Both are deleted after %(days)d day.",
            "Your photo is sent to Genlook, which makes the picture. Both are deleted after %(days)d days.",
            keep_days,
        )
        % {"days": keep_days},
        "consent_first": _("Please tick the box first. Your photo stays on this device until you do."),
        "choose": _("Choose a photo"),
        "take": _("Take a photo"),
        "drop": _("or drop one here"),
        "not_a_photo": _("This file is not a photo. Please choose a JPEG, PNG, WebP or HEIC picture."),
        "too_large": _("This photo is too large. Please choose one below 10 MB."),
        # The photo is chosen
        "ready": _("Your photo"),
        "ready_hint": _("Looks good? Then let us put it on."),
        "no_preview": _("This browser cannot show your photo, but we can use it."),
        "again": _("Your photo is still here"),
        "again_hint": _("Use it again, or choose a different one."),
        "kept_until": _("Kept until {time}"),
        "start": _("Try it on"),
        "different": _("Different photo"),
        "forget": _("Forget this photo"),
        "preparing": _("Preparing your photo…"),
        # Waiting
        "waiting": _("Your picture is being made"),
        "sending": _("Sending your photo"),
        "queued": _("Waiting for its turn"),
        "making": _("Putting it on"),
        "elapsed": _("{seconds} s"),
        "leave": _("You may close this window and go on shopping. Your picture will wait for you."),
        "slow": _("This takes longer than usual, but it is still under way."),
        "offline": _("No connection. We go on by ourselves as soon as it is back."),
        # The picture
        "result": _("Here you are"),
        "note": _("This shows the style, not the size."),
        "alt": _("The person in your photo, wearing {title}"),
        "alt_untitled": _("The person in your photo, wearing this item"),
        "done": _("Continue shopping"),
        "another": _("Try another photo"),
        "gallery": _("My try-ons"),
        # Trouble
        "problem": _("That did not work"),
        "retry": _("Try again"),
        "retry_in": _("Try again in {seconds} s"),
        "network": _("The connection was interrupted. Nothing is lost: please try again."),
        "server": _("Something went wrong on our side. Please try again in a moment."),
        "cookies": _("Your browser refused this page's cookies. Please allow them for this shop, then try again."),
        "cancelled": _("This try-on was cancelled."),
        "picture_missing": _("The picture is ready, but it could not be shown. Please try again."),
    }
