FROM python:3.11-slim AS build
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1
COPY requirements.txt .
RUN pip install --no-cache-dir --requirement requirements.txt
COPY . .
RUN SECRET_KEY=for-this-step-only python manage.py collectstatic --no-input

FROM python:3.11-slim
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=portal.settings
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tobiishi
COPY --from=build /venv /venv
COPY --from=build /app /app
USER 10001
EXPOSE 8000
# Settings that would be unsafe are told, and wrong ones stop the start, before anything serves.
ENTRYPOINT ["sh", "-c", "python manage.py check --deploy && exec \"$@\"", "tobiishi"]
CMD ["gunicorn", "--config", "portal/gunicorn.py", "--bind", "0.0.0.0:8000", "portal.wsgi"]
