package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
)

const (
	// heartbeat is the longest that a stream says nothing. A heartbeat tells when
	// the data were last looked at: whoever sees that grow old is not live.
	heartbeat = 5 * time.Second
	// streamLifetime is when a caller has to come back, and show again who it is.
	streamLifetime = 10 * time.Minute
	// reconnect is how soon browsers come back.
	reconnect = time.Second
	// overviewCampaigns is how many campaigns the overview shows.
	overviewCampaigns = 50
)

type liveCampaignView struct {
	ID           uuid.UUID       `json:"id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" format:"uuid"`
	Name         string          `json:"name" example:"Offre de printemps"`
	Status       campaign.Status `json:"status" example:"running" enum:"draft,scheduled,running,paused,completed,cancelled"`
	StatusReason string          `json:"status_reason"`
	ScheduledAt  *time.Time      `json:"scheduled_at"`
	StartedAt    *time.Time      `json:"started_at"`
	DeadlineAt   *time.Time      `json:"deadline_at"`
	CompletedAt  *time.Time      `json:"completed_at"`
	Stats        statsView       `json:"stats"`
}

func viewLiveCampaign(c store.LiveCampaign) liveCampaignView {
	return liveCampaignView{
		ID: c.ID, Name: c.Name, Status: c.Status, StatusReason: c.StatusReason,
		ScheduledAt: utc(c.ScheduledAt), StartedAt: utc(c.StartedAt), DeadlineAt: utc(c.DeadlineAt), CompletedAt: utc(c.CompletedAt),
		Stats: viewStats(c.Stats),
	}
}

// overviewView is what the stream over everything shows.
type overviewView struct {
	Stats     statsView          `json:"stats" doc:"All campaigns together."`
	Campaigns []liveCampaignView `json:"campaigns" nullable:"false" doc:"Those that wait, run or are paused, and those that ended within the last hour; the newest 50."`
}

type campaignEventsInput struct {
	ByID
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that was received; its state is not sent again."`
}

func (a *API) campaignEvents(ctx context.Context, in *campaignEventsInput) (*huma.StreamResponse, error) {
	return a.stream(ctx, "campaign", in.ID.String(), in.LastEventID, func(ctx context.Context) (any, error) {
		found, err := a.store.LiveCampaign(ctx, in.ID)
		return viewLiveCampaign(found), err
	})
}

type eventsInput struct {
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that was received; its state is not sent again."`
}

func (a *API) events(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	return a.stream(ctx, "overview", "", in.LastEventID, func(ctx context.Context) (any, error) {
		stats, err := a.store.AllStats(ctx)
		if err != nil {
			return nil, err
		}
		found, err := a.store.LiveCampaigns(ctx, overviewCampaigns)
		return overviewView{Stats: viewStats(stats), Campaigns: viewAll(found, viewLiveCampaign)}, err
	})
}

// stream answers with Server-Sent Events: the state now, unless the caller has
// it, and each further one at most once a second.
func (a *API) stream(ctx context.Context, name, of, lastID string, load func(context.Context) (any, error)) (*huma.StreamResponse, error) {
	user := callerID(ctx)
	if a.feeds.full(user) {
		return nil, tooMany(reconnect, fmt.Sprintf("One user may watch %d streams at once; close those that are not needed.", mostStreams))
	}
	loadEvent := func(ctx context.Context) (event, error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		began := time.Now()
		value, err := load(ctx)
		if err != nil {
			return event{}, err
		}
		return newEvent(value, began)
	}
	first, err := loadEvent(ctx)
	if err != nil {
		return nil, err
	}
	failed := func(err error) {
		a.logger.Warn("A stream's data could not be read; it is tried again.", "event", name, "campaign_id", of, "error", err)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		watched, leave := a.feeds.watch(user, name+":"+of, first, loadEvent, failed)
		defer leave()
		ctx.SetHeader("Content-Type", "text/event-stream")
		ctx.SetHeader("X-Accel-Buffering", "no") // proxies hold answers back otherwise
		// gin's own request: huma's context ends with the operation's timeout.
		request := humagin.Unwrap(ctx).Request
		w := eventWriter{to: ctx.BodyWriter().(http.ResponseWriter)}
		_ = a.follow(request.Context(), w, watched, name, lastID) // the caller has gone
	}}, nil
}

// follow writes every new state of a feed until the caller goes, or has to come back.
func (a *API) follow(ctx context.Context, w eventWriter, watched *feed, name, lastID string) error {
	if err := w.write("retry: %d\n\n", reconnect.Milliseconds()); err != nil {
		return err
	}
	beat, end := time.NewTicker(heartbeat), time.NewTimer(streamLifetime)
	defer beat.Stop()
	defer end.Stop()
	for {
		latest, changed := watched.state()
		if latest.id != lastID {
			if err := w.write("id: %s\nevent: %s\ndata: %s\n\n", latest.id, name, latest.data); err != nil {
				return err
			}
			lastID = latest.id
		}
		select {
		case <-changed:
		case <-beat.C:
			at, err := json.Marshal(heartbeatView{At: watched.lookedAt().UTC()})
			if err == nil {
				err = w.write("event: heartbeat\ndata: %s\n\n", at)
			}
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-a.feeds.ended:
			return nil
		case <-watched.gone:
			return nil
		case <-end.C:
			return nil
		}
	}
}

type heartbeatView struct {
	At time.Time `json:"at"`
}

// eventWriter writes events, each at once.
type eventWriter struct{ to http.ResponseWriter }

// writeLimit is how long a caller may take to take an event.
const writeLimit = 10 * time.Second

func (w eventWriter) write(format string, args ...any) error {
	control := http.NewResponseController(w.to)
	_ = control.SetWriteDeadline(time.Now().Add(writeLimit)) // not every connection has one
	if _, err := fmt.Fprintf(w.to, format, args...); err != nil {
		return err
	}
	return control.Flush()
}

// streams tells OpenAPI what a stream's events carry.
func (a *API) streams(path string, data any) {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(data), true, "")
	a.huma.OpenAPI().Paths[path].Get.Responses["200"] = &huma.Response{
		Description: "Server-Sent Events: each state as an event with an id, at most one a second; event: heartbeat with the moment of the last look in between. " +
			"Streams end after ten minutes; come back with Last-Event-ID.",
		Content: map[string]*huma.MediaType{"text/event-stream": {Schema: schema}},
	}
}
