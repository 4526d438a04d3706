"""The pages for customers, below /test/password/ and /live/password/."""

from django.urls import path

from customers.password_pages import views

app_name = "password"
urlpatterns = [
    path("forgot", views.forgot, name="forgot"),
    path("sent", views.sent, name="sent"),
    path("reset/<str:pk>", views.reset, name="reset"),
    path("choose/<str:pk>", views.choose_password, name="choose"),
    path("change", views.change_password, name="change_password"),
    path("change-email", views.change_email, name="change_email"),
    path("email-changed", views.email_changed, name="email_changed"),
    path("done", views.done, name="done"),
]
