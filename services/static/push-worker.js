/** Shows a pushed alarm; opens it when it is pressed. Its words come encrypted from our own server. */
self.addEventListener("push", (event) => {
  const said = event.data?.json() ?? {};
  event.waitUntil(self.registration.showNotification(said.title ?? "Trạm", {
    body: said.body ?? "", tag: said.tag ?? "tram", icon: "/static/mark.svg", data: { url: said.url ?? "/" },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url || "/", self.location.origin);
  // Only our own pages are opened, whatever the message says.
  event.waitUntil(self.clients.openWindow(url.origin === self.location.origin ? url.href : "/"));
});
