"""The Clients page: connection details, configuration files, a test request.

client_scan.py  what is on this computer and in the clients' files, and the changes to them
page.py         the list and, beside it, the card of the client that is chosen
client_model.py the list; card.py the card; the panels are its parts
"""

from tray_app.pages.clients.page import ClientsPage

__all__ = ["ClientsPage"]
