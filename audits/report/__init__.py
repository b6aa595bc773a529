"""The toolkit of reports: pages in two forms, tables, figures, numbers, and the words they share.

It knows no audit. What an audit's page says is written beside the audit.
"""
