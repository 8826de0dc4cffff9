"""Alembic's entry: runs the steps on the connection that the store hands over."""

from alembic import context
from sqlalchemy import Connection

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("migrations run through plugin.store, which hands over its connection")
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
