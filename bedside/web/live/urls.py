from django.urls import path

from bedside.web.live.views import poll

urlpatterns = [path("poll", poll, name="live_poll")]
