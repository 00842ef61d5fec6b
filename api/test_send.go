package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/relance/relance/campaign"
	"github.com/relance/relance/store"
	"github.com/relance/relance/wassenger"
)

// Provider sends single messages; campaigns do not go through it.
type Provider interface {
	Send(ctx context.Context, message wassenger.Outgoing) (wassenger.Accepted, error)
}

type testSendInput struct {
	ID   uuid.UUID `path:"id" example:"0197d2c6-3c5d-7a91-b2f7-91d3e5a7c024" format:"uuid"`
	Body struct {
		Phone   string               `json:"phone" example:"+33639980001"`
		Country string               `json:"country,omitempty" maxLength:"2" example:"FR" doc:"The country of a number without a country code."`
		Message campaign.MessageType `json:"message,omitempty" example:"message_1" enum:"message_1,message_2" default:"message_1"`
	}
}

type testSendOutput struct {
	Body struct {
		MessageID uuid.UUID `json:"message_id" example:"0197d2c6-41f0-7e55-9b3c-6d7e8f901a2b" format:"uuid" doc:"The reference under which the provider knows the message."`
	}
}

// testSendLimit is how long the provider may take to answer a test message.
const testSendLimit = 10 * time.Second

// testSend sends one message of a campaign to one number, outside the campaign
// and within the quota.
func (a *API) testSend(ctx context.Context, in *testSendInput) (*testSendOutput, error) {
	country, err := normalizeCountry(in.Body.Country)
	if err != nil {
		return nil, invalid("body.country", "%s", err)
	}
	phone, err := normalizePhone(in.Body.Phone, country)
	if err != nil {
		return nil, invalid("body.phone", "%s", err)
	}
	notAfter := time.Now().Add(testSendLimit)
	test, err := a.store.ReserveTestSend(ctx, in.ID, in.Body.Message, phone, callerID(ctx), testSendLimit)
	var refused *store.RefusedError
	if errors.As(err, &refused) {
		return nil, refusedProblem(refused)
	}
	if err != nil {
		return nil, err
	}
	_, sendErr := a.options.Provider.Send(ctx, wassenger.Outgoing{
		Phone: phone, Text: test.Text, MediaURL: test.MediaURL, Reference: test.ID.String(), NotAfter: notAfter,
	})
	class := wassenger.ClassOf(sendErr)
	said := ""
	if sendErr != nil {
		said = sendErr.Error()
	}
	left := sendErr == nil || class == wassenger.Unknown
	if err := a.store.SettleTestSend(context.WithoutCancel(ctx), test.ID, left, said); err != nil {
		return nil, err
	}
	if sendErr != nil {
		return nil, testProblem(class)
	}
	output := &testSendOutput{}
	output.Body.MessageID = test.ID
	return output, nil
}

func refusedProblem(refused *store.RefusedError) error {
	switch refused.Obstacle {
	case store.ObstacleHalted:
		return problem(http.StatusConflict, "The device cannot send at the moment; GET /monitoring says why.")
	case store.ObstacleRestored:
		return problem(http.StatusConflict, "The database was restored, and nothing is sent until it is reconciled.")
	case store.ObstacleQuota:
		return problem(http.StatusConflict, fmt.Sprintf("The quota has no room for a test message for another %s.", refused.Wait.Round(time.Second)))
	default:
		return invalid("body.phone", "is of somebody who opted out")
	}
}

func testProblem(class wassenger.Class) error {
	switch class {
	case wassenger.Rejected:
		return invalid("body.phone", "was refused by the provider, or the message was")
	case wassenger.Halted:
		return problem(http.StatusBadGateway, "The provider says that this device or account cannot send.")
	case wassenger.Unknown:
		return problem(http.StatusBadGateway, "The provider gave no clear answer: the test message may have left.")
	default:
		return problem(http.StatusBadGateway, "The provider did not take the test message. Try again in a moment.")
	}
}
